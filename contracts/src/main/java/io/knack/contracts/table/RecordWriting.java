package io.knack.contracts.table;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnWriteStore;
import org.apache.parquet.column.ColumnWriter;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.ParquetProperties;
import org.apache.parquet.column.values.ValuesWriter;
import org.apache.parquet.column.values.factory.DefaultValuesWriterFactory;
import org.apache.parquet.column.values.factory.ValuesWriterFactory;
import org.apache.parquet.compression.CompressionCodecFactory.BytesInputCompressor;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.ColumnChunkPageWriteStore;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.codec.ZstandardCodec;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.jspecify.annotations.Nullable;

/**
 * Records of a {@link Shape} straight to Parquet columns.
 *
 * <p>Most of what is written are vectors, hundreds of numbers a row. So values go to their column
 * with the repetition and definition levels that their place in the shape gives them (Dremel,
 * Melnik et al., 2010), without events for groups and fields in between; and the numbers of lists
 * have neither dictionary nor statistics.
 */
final class RecordWriting implements AutoCloseable {
  /** Level 1 is the fastest, and vectors do not compress much at any. */
  private static final Map<String, String> CODEC =
      Map.of(ZstandardCodec.PARQUET_COMPRESS_ZSTD_LEVEL, "1");

  /** Rows between two looks at how much a row group holds. */
  private static final int LOOK_EVERY = 100;

  private final MessageType schema;
  private final ParquetProperties properties;
  private final CodecFactory codecs;
  private final ParquetFileWriter file;
  private final StructNode root;
  private @Nullable ColumnChunkPageWriteStore pages;
  private @Nullable ColumnWriteStore columns;
  private long rows;

  private RecordWriting(Path path, Shape.Struct shape, String name) throws IOException {
    schema = ParquetCodec.schema(shape, name);
    ParquetProperties.Builder building =
        ParquetProperties.builder().withValuesWriterFactory(new NumbersFactory());
    for (ColumnDescriptor column : schema.getColumns()) {
      if (ofNumbers(column)) {
        String dotted = String.join(".", column.getPath());
        building
            .withDictionaryEncoding(dotted, false)
            .withStatisticsEnabled(dotted, false)
            .withSizeStatisticsEnabled(dotted, false);
      }
    }
    properties = building.build();
    codecs =
        new CodecFactory(new PlainParquetConfiguration(CODEC), ParquetWriter.DEFAULT_PAGE_SIZE);
    root = new StructNode(shape, schema.getColumns().iterator(), 0);
    file =
        new ParquetFileWriter(
            new LocalOutputFile(path),
            schema,
            ParquetFileWriter.Mode.CREATE,
            ParquetWriter.DEFAULT_BLOCK_SIZE,
            ParquetWriter.MAX_PADDING_SIZE_DEFAULT,
            null,
            properties);
    file.start();
  }

  static void write(Path path, Shape.Struct shape, String name, Iterable<? extends Record> rows)
      throws IOException {
    try (RecordWriting writing = new RecordWriting(path, shape, name)) {
      for (Record row : rows) {
        writing.add(row);
      }
      writing.flush();
      writing.file.end(Map.of());
    }
  }

  @Override
  public void close() throws IOException {
    try {
      release();
      codecs.release();
    } finally {
      file.close();
    }
  }

  private void add(Record row) throws IOException {
    ColumnWriteStore into = columns;
    if (into == null) {
      BytesInputCompressor zstd = codecs.getCompressor(CompressionCodecName.ZSTD);
      pages =
          new ColumnChunkPageWriteStore(
              zstd,
              schema,
              properties.getAllocator(),
              properties.getColumnIndexTruncateLength(),
              properties.getPageWriteChecksumEnabled());
      into = properties.newColumnWriteStore(schema, pages, pages);
      columns = into;
      root.bind(into);
    }
    root.write(row, 0, 0);
    into.endRecord();
    rows++;
    if (rows % LOOK_EVERY == 0 && into.getBufferedSize() > ParquetWriter.DEFAULT_BLOCK_SIZE) {
      flush();
    }
  }

  private void flush() throws IOException {
    if (rows > 0) {
      file.startBlock(rows);
      Objects.requireNonNull(columns).flush();
      Objects.requireNonNull(pages).flushToFileWriter(file);
      file.endBlock();
    }
    release();
  }

  /** Ends a row group, written or not. */
  private void release() {
    if (columns != null) {
      columns.close();
      columns = null;
    }
    if (pages != null) {
      pages.close();
      pages = null;
    }
    rows = 0;
  }

  private static boolean ofNumbers(ColumnDescriptor column) {
    PrimitiveTypeName type = column.getPrimitiveType().getPrimitiveTypeName();
    return column.getMaxRepetitionLevel() > 0
        && (type == PrimitiveTypeName.INT32 || type == PrimitiveTypeName.FLOAT);
  }

  // ---- shapes

  /** A part of the shape, with the columns below it. */
  private abstract static class Node {
    /**
     * Writes a value.
     *
     * @param repetition the level at which its first part repeats
     * @param definition how many of the optional and repeated levels above it are there
     */
    abstract void write(Object value, int repetition, int definition);

    /** Tells every column below that nothing is there. */
    abstract void nothing(int repetition, int definition);

    abstract void bind(ColumnWriteStore columns);
  }

  private static Node node(Shape shape, Iterator<ColumnDescriptor> leaves, int level) {
    if (shape instanceof Shape.Scalar scalar) {
      return new ScalarNode(scalar, leaves.next());
    }
    if (shape instanceof Shape.Struct struct) {
      return new StructNode(struct, leaves, level);
    }
    if (shape instanceof Shape.ListOf list) {
      return new ListNode(node(list.element(), leaves, level + 1), level + 1);
    }
    return new MapNode((Shape.MapOf) shape, leaves, level + 1);
  }

  private static final class ScalarNode extends Node {
    private final Shape.Scalar scalar;
    private final ColumnDescriptor column;
    private @Nullable ColumnWriter writer;

    private ScalarNode(Shape.Scalar scalar, ColumnDescriptor column) {
      this.scalar = scalar;
      this.column = column;
    }

    private ColumnWriter writer() {
      return Objects.requireNonNull(writer, "bind comes first");
    }

    @Override
    void write(Object value, int repetition, int definition) {
      Object carrier = scalar.store().apply(value);
      ColumnWriter to = writer();
      switch (scalar.kind()) {
        case TEXT -> to.write(Binary.fromString((String) carrier), repetition, definition);
        case INT, DATE -> to.write((int) (Integer) carrier, repetition, definition);
        case LONG, TIMESTAMP -> to.write((long) (Long) carrier, repetition, definition);
        case FLOAT -> to.write((float) (Float) carrier, repetition, definition);
        case DOUBLE -> to.write((double) (Double) carrier, repetition, definition);
        case BOOLEAN -> to.write((boolean) (Boolean) carrier, repetition, definition);
      }
    }

    /** All of a list at once. */
    void writeAll(List<?> values, int repetition, int level, int definition) {
      ColumnWriter to = writer();
      int at = repetition;
      switch (scalar.kind()) {
        case INT -> {
          for (int i = 0; i < values.size(); i++) {
            to.write((int) (Integer) values.get(i), at, definition);
            at = level;
          }
        }
        case FLOAT -> {
          for (int i = 0; i < values.size(); i++) {
            to.write((float) (Float) values.get(i), at, definition);
            at = level;
          }
        }
        default -> {
          for (Object value : values) {
            write(value, at, definition);
            at = level;
          }
        }
      }
    }

    @Override
    void nothing(int repetition, int definition) {
      writer().writeNull(repetition, definition);
    }

    @Override
    void bind(ColumnWriteStore columns) {
      writer = columns.getColumnWriter(column);
    }
  }

  private static final class StructNode extends Node {
    private final Shape.Struct shape;
    private final List<Node> fields = new ArrayList<>();

    private StructNode(Shape.Struct shape, Iterator<ColumnDescriptor> leaves, int level) {
      this.shape = shape;
      for (Shape.Field field : shape.fields()) {
        fields.add(node(field.shape(), leaves, level));
      }
    }

    @Override
    void write(Object row, int repetition, int definition) {
      for (int i = 0; i < fields.size(); i++) {
        Shape.Field field = shape.fields().get(i);
        Object value = shape.read(row, i);
        if (value != null) {
          fields.get(i).write(value, repetition, definition + (field.nullable() ? 1 : 0));
        } else if (field.nullable()) {
          fields.get(i).nothing(repetition, definition);
        } else {
          throw new IllegalArgumentException(
              shape.type().getSimpleName() + "." + field.column() + " must not be null");
        }
      }
    }

    @Override
    void nothing(int repetition, int definition) {
      fields.forEach(field -> field.nothing(repetition, definition));
    }

    @Override
    void bind(ColumnWriteStore columns) {
      fields.forEach(field -> field.bind(columns));
    }
  }

  private static final class ListNode extends Node {
    private final Node element;
    private final int level;

    private ListNode(Node element, int level) {
      this.element = element;
      this.level = level;
    }

    @Override
    void write(Object value, int repetition, int definition) {
      List<?> elements = (List<?>) value;
      if (elements.isEmpty()) {
        element.nothing(repetition, definition);
      } else if (element instanceof ScalarNode scalar) {
        scalar.writeAll(elements, repetition, level, definition + 1);
      } else {
        int at = repetition;
        for (Object one : elements) {
          element.write(one, at, definition + 1);
          at = level;
        }
      }
    }

    @Override
    void nothing(int repetition, int definition) {
      element.nothing(repetition, definition);
    }

    @Override
    void bind(ColumnWriteStore columns) {
      element.bind(columns);
    }
  }

  private static final class MapNode extends Node {
    private final Node key;
    private final Node value;
    private final int level;

    private MapNode(Shape.MapOf shape, Iterator<ColumnDescriptor> leaves, int level) {
      this.key = node(ParquetCodec.KEY, leaves, level);
      this.value = node(shape.value(), leaves, level);
      this.level = level;
    }

    @Override
    void write(Object map, int repetition, int definition) {
      if (((Map<?, ?>) map).isEmpty()) {
        nothing(repetition, definition);
        return;
      }
      int at = repetition;
      for (Map.Entry<?, ?> entry : new TreeMap<>((Map<?, ?>) map).entrySet()) {
        key.write(entry.getKey(), at, definition + 1);
        value.write(entry.getValue(), at, definition + 1);
        at = level;
      }
    }

    @Override
    void nothing(int repetition, int definition) {
      key.nothing(repetition, definition);
      value.nothing(repetition, definition);
    }

    @Override
    void bind(ColumnWriteStore columns) {
      key.bind(columns);
      value.bind(columns);
    }
  }

  // ---- numbers of lists

  private static final class NumbersFactory implements ValuesWriterFactory {
    private final ValuesWriterFactory others = new DefaultValuesWriterFactory();

    @Override
    public void initialize(ParquetProperties properties) {
      others.initialize(properties);
    }

    @Override
    public ValuesWriter newValuesWriter(ColumnDescriptor column) {
      return ofNumbers(column) ? new NumbersWriter() : others.newValuesWriter(column);
    }
  }

  /** Parquet's plain encoding, four bytes a number, in one array. */
  private static final class NumbersWriter extends ValuesWriter {
    private static final VarHandle INTS =
        MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes = new byte[1 << 12];
    private int size;

    @Override
    public void writeInteger(int value) {
      if (size == bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.multiplyExact(2, size));
      }
      INTS.set(bytes, size, value);
      size += Integer.BYTES;
    }

    @Override
    public void writeFloat(float value) {
      writeInteger(Float.floatToIntBits(value));
    }

    @Override
    public long getBufferedSize() {
      return size;
    }

    @Override
    public BytesInput getBytes() {
      return BytesInput.from(bytes, 0, size);
    }

    @Override
    public Encoding getEncoding() {
      return Encoding.PLAIN;
    }

    @Override
    public void reset() {
      size = 0;
    }

    @Override
    public long getAllocatedSize() {
      return bytes.length;
    }

    @Override
    public String memUsageString(String prefix) {
      return prefix + " numbers " + size + " of " + bytes.length + " bytes";
    }
  }
}
