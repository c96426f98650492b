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
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
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
  private ParquetCodec() {}

  /** Rows in file order; closing it closes the file. */
  static Rows read(Path file, Shape.Struct shape) throws IOException {
    return new Rows(RecordReading.open(new ParquetFile(file), shape), file);
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

  static final Shape KEY = new Shape.Scalar(Shape.Kind.TEXT, value -> value, carrier -> carrier);

  // ---- reading

  private static final class Reader extends ParquetReader.Builder<Group> {
    private Reader(ParquetFile file) {
      super(file);
    }

    @Override
    protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }

  /** A file's rows as they lie there. */
  static ParquetReader<Group> groups(ParquetFile file) throws IOException {
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

  /** How many groups of rows the footer lists. */
  static int blocks(Path file) throws IOException {
    try (ParquetFileReader reader =
        ParquetFileReader.open(
            new ParquetFile(file),
            ParquetReadOptions.builder(new PlainParquetConfiguration()).build())) {
      return reader.getFooter().getBlocks().size();
    }
  }
}
