package io.knack.contracts.table;

import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.codec.ZstandardCodec;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Shape} as a Parquet schema, and records to and from Parquet files.
 *
 * <p>Lists and maps have the three-level form of the Parquet specification (LogicalTypes.md,
 * "Nested types"). Reading goes by column name, so that a file of an older or newer writer loads as
 * long as every column that must not be null is there.
 */
final class ParquetCodec {
  /** Level 1 is the fastest, and vectors do not compress much at any. */
  private static final String ZSTD_LEVEL = ZstandardCodec.PARQUET_COMPRESS_ZSTD_LEVEL;

  private ParquetCodec() {}

  static void write(Path file, Shape.Struct shape, String name, Iterable<? extends Record> rows)
      throws IOException {
    Writer builder =
        new Writer(new LocalOutputFile(file), shape, name)
            .withConf(new PlainParquetConfiguration(Map.of(ZSTD_LEVEL, "1")))
            .withCompressionCodec(CompressionCodecName.ZSTD);
    for (ColumnDescriptor column : schema(shape, name).getColumns()) {
      if (column.getMaxRepetitionLevel() > 0
          && column.getPrimitiveType().getPrimitiveTypeName() != PrimitiveTypeName.BINARY) {
        // The numbers of vectors: a dictionary of them takes longer to make than it saves.
        builder.withDictionaryEncoding(String.join(".", column.getPath()), false);
      }
    }
    try (ParquetWriter<Record> writer = builder.build()) {
      for (Record row : rows) {
        writer.write(row);
      }
    }
  }

  /** Rows in file order; closing it closes the file. */
  static Rows read(Path file, Shape.Struct shape) throws IOException {
    return new Rows(RecordReading.open(new LocalInputFile(file), shape), file);
  }

  static final class Rows implements Iterator<Record>, AutoCloseable {
    private final ParquetReader<Record> reader;
    private final Path file;
    private @Nullable Record next;
    private boolean fetched;

    private Rows(ParquetReader<Record> reader, Path file) {
      this.reader = reader;
      this.file = file;
    }

    @Override
    public boolean hasNext() {
      if (!fetched) {
        try {
          next = reader.read();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
          for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof IllegalArgumentException) {
              throw new ContractException(file + ": " + cause.getMessage(), e);
            }
          }
          throw new ContractException(
              file + " is not a readable Parquet file: " + e.getMessage(), e);
        }
        fetched = true;
      }
      return next != null;
    }

    @Override
    public Record next() {
      if (!hasNext() || next == null) {
        throw new NoSuchElementException();
      }
      fetched = false;
      return next;
    }

    @Override
    public void close() {
      try {
        reader.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  // ---- schema

  static MessageType schema(Shape.Struct shape, String name) {
    return new MessageType(name, fields(shape));
  }

  private static List<Type> fields(Shape.Struct shape) {
    List<Type> types = new ArrayList<>();
    for (Shape.Field field : shape.fields()) {
      types.add(
          type(
              field.shape(),
              field.column(),
              field.nullable() ? Type.Repetition.OPTIONAL : Type.Repetition.REQUIRED));
    }
    return types;
  }

  private static Type type(Shape shape, String name, Type.Repetition repetition) {
    if (shape instanceof Shape.Scalar scalar) {
      return switch (scalar.kind()) {
        case TEXT ->
            Types.primitive(PrimitiveTypeName.BINARY, repetition)
                .as(LogicalTypeAnnotation.stringType())
                .named(name);
        case INT -> Types.primitive(PrimitiveTypeName.INT32, repetition).named(name);
        case LONG -> Types.primitive(PrimitiveTypeName.INT64, repetition).named(name);
        case FLOAT -> Types.primitive(PrimitiveTypeName.FLOAT, repetition).named(name);
        case DOUBLE -> Types.primitive(PrimitiveTypeName.DOUBLE, repetition).named(name);
        case BOOLEAN -> Types.primitive(PrimitiveTypeName.BOOLEAN, repetition).named(name);
        case TIMESTAMP ->
            Types.primitive(PrimitiveTypeName.INT64, repetition)
                .as(
                    LogicalTypeAnnotation.timestampType(
                        true, LogicalTypeAnnotation.TimeUnit.MICROS))
                .named(name);
        case DATE ->
            Types.primitive(PrimitiveTypeName.INT32, repetition)
                .as(LogicalTypeAnnotation.dateType())
                .named(name);
      };
    }
    if (shape instanceof Shape.Struct struct) {
      return new GroupType(repetition, name, fields(struct));
    }
    if (shape instanceof Shape.ListOf list) {
      return Types.buildGroup(repetition)
          .as(LogicalTypeAnnotation.listType())
          .addField(
              new GroupType(
                  Type.Repetition.REPEATED,
                  "list",
                  type(list.element(), "element", Type.Repetition.REQUIRED)))
          .named(name);
    }
    Shape.MapOf map = (Shape.MapOf) shape;
    return Types.buildGroup(repetition)
        .as(LogicalTypeAnnotation.mapType())
        .addField(
            new GroupType(
                Type.Repetition.REPEATED,
                "key_value",
                type(KEY, "key", Type.Repetition.REQUIRED),
                type(map.value(), "value", Type.Repetition.REQUIRED)))
        .named(name);
  }

  private static final Shape KEY =
      new Shape.Scalar(Shape.Kind.TEXT, value -> value, carrier -> carrier);

  // ---- writing

  private static final class Writer extends ParquetWriter.Builder<Record, Writer> {
    private final Shape.Struct shape;
    private final String name;

    private Writer(LocalOutputFile file, Shape.Struct shape, String name) {
      super(file);
      this.shape = shape;
      this.name = name;
    }

    @Override
    protected Writer self() {
      return this;
    }

    @Override
    @SuppressWarnings("deprecation") // abstract until the library drops Hadoop
    protected WriteSupport<Record> getWriteSupport(Configuration configuration) {
      return new RecordWriteSupport(shape, name);
    }

    @Override
    protected WriteSupport<Record> getWriteSupport(ParquetConfiguration configuration) {
      return new RecordWriteSupport(shape, name);
    }
  }

  private static final class RecordWriteSupport extends WriteSupport<Record> {
    private final Shape.Struct shape;
    private final String name;
    private @Nullable RecordConsumer consumer;

    private RecordWriteSupport(Shape.Struct shape, String name) {
      this.shape = shape;
      this.name = name;
    }

    @Override
    @SuppressWarnings("deprecation") // abstract until the library drops Hadoop
    public WriteContext init(Configuration configuration) {
      return new WriteContext(schema(shape, name), Map.of());
    }

    @Override
    public WriteContext init(ParquetConfiguration configuration) {
      return new WriteContext(schema(shape, name), Map.of());
    }

    @Override
    public void prepareForWrite(RecordConsumer recordConsumer) {
      consumer = recordConsumer;
    }

    @Override
    public void write(Record row) {
      RecordConsumer out =
          java.util.Objects.requireNonNull(consumer, "prepareForWrite comes first");
      out.startMessage();
      writeFields(out, shape, row);
      out.endMessage();
    }

    private static void writeFields(RecordConsumer out, Shape.Struct shape, Object row) {
      for (int i = 0; i < shape.fields().size(); i++) {
        Shape.Field field = shape.fields().get(i);
        Object value = shape.read(row, i);
        if (value == null) {
          if (!field.nullable()) {
            throw new IllegalArgumentException(
                shape.type().getSimpleName() + "." + field.column() + " must not be null");
          }
          continue;
        }
        out.startField(field.column(), i);
        writeValue(out, field.shape(), value);
        out.endField(field.column(), i);
      }
    }

    /** Vectors are most of what is written, so their elements take the shortest way. */
    private static void writeElements(RecordConsumer out, Shape shape, List<?> elements) {
      Shape.@Nullable Kind kind = shape instanceof Shape.Scalar scalar ? scalar.kind() : null;
      for (int i = 0; i < elements.size(); i++) {
        out.startGroup();
        out.startField("element", 0);
        if (kind == Shape.Kind.FLOAT) {
          out.addFloat((Float) elements.get(i));
        } else if (kind == Shape.Kind.INT) {
          out.addInteger((Integer) elements.get(i));
        } else {
          writeValue(out, shape, elements.get(i));
        }
        out.endField("element", 0);
        out.endGroup();
      }
    }

    private static void writeValue(RecordConsumer out, Shape shape, Object value) {
      if (shape instanceof Shape.Scalar scalar) {
        Object carrier = scalar.store().apply(value);
        switch (scalar.kind()) {
          case TEXT -> out.addBinary(Binary.fromString((String) carrier));
          case INT, DATE -> out.addInteger((Integer) carrier);
          case LONG, TIMESTAMP -> out.addLong((Long) carrier);
          case FLOAT -> out.addFloat((Float) carrier);
          case DOUBLE -> out.addDouble((Double) carrier);
          case BOOLEAN -> out.addBoolean((Boolean) carrier);
        }
      } else if (shape instanceof Shape.Struct struct) {
        out.startGroup();
        writeFields(out, struct, value);
        out.endGroup();
      } else if (shape instanceof Shape.ListOf list) {
        out.startGroup();
        List<?> elements = (List<?>) value;
        if (!elements.isEmpty()) {
          out.startField("list", 0);
          writeElements(out, list.element(), elements);
          out.endField("list", 0);
        }
        out.endGroup();
      } else if (shape instanceof Shape.MapOf map) {
        out.startGroup();
        Map<?, ?> entries = new java.util.TreeMap<>((Map<?, ?>) value);
        if (!entries.isEmpty()) {
          out.startField("key_value", 0);
          for (Map.Entry<?, ?> entry : entries.entrySet()) {
            out.startGroup();
            out.startField("key", 0);
            out.addBinary(Binary.fromString((String) entry.getKey()));
            out.endField("key", 0);
            out.startField("value", 1);
            writeValue(out, map.value(), entry.getValue());
            out.endField("value", 1);
            out.endGroup();
          }
          out.endField("key_value", 0);
        }
        out.endGroup();
      }
    }
  }

  // ---- reading

  private static final class Reader extends ParquetReader.Builder<Group> {
    private Reader(LocalInputFile file) {
      super(file);
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }

  /** A file's rows as they lie there. */
  static ParquetReader<Group> groups(LocalInputFile file) throws IOException {
    return new Reader(file).withConf(new PlainParquetConfiguration()).build();
  }

  // ---- reading what is no contract

  /** A row of any Parquet file as maps, lists and plain values, by the file's own schema. */
  static Map<String, @Nullable Object> anyRow(Group group) {
    Map<String, @Nullable Object> columns = new LinkedHashMap<>();
    GroupType type = group.getType();
    for (int i = 0; i < type.getFieldCount(); i++) {
      int count = group.getFieldRepetitionCount(i);
      columns.put(type.getFieldName(i), count == 0 ? null : anyValue(group, i, 0));
    }
    return columns;
  }

  private static @Nullable Object anyValue(Group group, int field, int index) {
    Type type = group.getType().getType(field);
    LogicalTypeAnnotation logical = type.getLogicalTypeAnnotation();
    if (!type.isPrimitive()) {
      Group nested = group.getGroup(field, index);
      boolean list = logical instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation;
      boolean map = logical instanceof LogicalTypeAnnotation.MapLogicalTypeAnnotation;
      if (list) {
        List<@Nullable Object> elements = new ArrayList<>();
        for (int i = 0; i < nested.getFieldRepetitionCount(0); i++) {
          Group element = nested.getGroup(0, i);
          elements.add(element.getFieldRepetitionCount(0) == 0 ? null : anyValue(element, 0, 0));
        }
        return elements;
      }
      if (map) {
        Map<String, @Nullable Object> entries = new LinkedHashMap<>();
        for (int i = 0; i < nested.getFieldRepetitionCount(0); i++) {
          Group entry = nested.getGroup(0, i);
          entries.put(
              String.valueOf(anyValue(entry, 0, 0)),
              entry.getFieldRepetitionCount(1) == 0 ? null : anyValue(entry, 1, 0));
        }
        return entries;
      }
      return anyRow(nested);
    }
    return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case INT32 ->
          logical instanceof LogicalTypeAnnotation.DateLogicalTypeAnnotation
              ? LocalDate.ofEpochDay(group.getInteger(field, index)).toString()
              : (Object) group.getInteger(field, index);
      case INT64 ->
          logical instanceof LogicalTypeAnnotation.TimestampLogicalTypeAnnotation timestamp
              ? instant(timestamp.getUnit(), group.getLong(field, index)).toString()
              : (Object) group.getLong(field, index);
      case FLOAT -> group.getFloat(field, index);
      case DOUBLE -> group.getDouble(field, index);
      case BOOLEAN -> group.getBoolean(field, index);
      case BINARY ->
          logical == null ? group.getValueToString(field, index) : group.getString(field, index);
      case INT96, FIXED_LEN_BYTE_ARRAY -> group.getValueToString(field, index);
    };
  }

  private static Instant instant(LogicalTypeAnnotation.TimeUnit unit, long value) {
    return switch (unit) {
      case MILLIS -> Instant.EPOCH.plus(value, ChronoUnit.MILLIS);
      case MICROS -> Instant.EPOCH.plus(value, ChronoUnit.MICROS);
      case NANOS -> Instant.EPOCH.plus(value, ChronoUnit.NANOS);
    };
  }

  /** The first rows of any Parquet file. */
  static List<Map<String, @Nullable Object>> anyRows(Path file, long limit) throws IOException {
    List<Map<String, @Nullable Object>> rows = new ArrayList<>();
    try (ParquetReader<Group> reader = groups(new LocalInputFile(file))) {
      for (Group row = reader.read(); row != null && rows.size() < limit; row = reader.read()) {
        rows.add(anyRow(row));
      }
    }
    return rows;
  }
}
