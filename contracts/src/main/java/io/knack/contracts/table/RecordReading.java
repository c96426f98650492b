package io.knack.contracts.table;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.column.Dictionary;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.InitContext;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/**
 * Parquet columns straight to records of a {@link Shape}: only the columns that the shape has are
 * decoded, a text that a column's dictionary holds is made once, and no tree of groups is built in
 * between.
 *
 * <p>Columns go by name. The repeated level of lists and maps and its members go by position:
 * writers disagree about their names.
 */
final class RecordReading {
  private RecordReading() {}

  static ParquetReader<Record> open(ParquetFile file, Shape.Struct shape) throws IOException {
    return new Builder(file, shape).withConf(new PlainParquetConfiguration()).build();
  }

  private static final class Builder extends ParquetReader.Builder<Record> {
    private final Shape.Struct shape;

    private Builder(ParquetFile file, Shape.Struct shape) {
      super(file);
      this.shape = shape;
    }

    @Override
    protected ReadSupport<Record> getReadSupport() {
      return new Support(shape);
    }
  }

  private static final class Support extends ReadSupport<Record> {
    private final Shape.Struct shape;

    private Support(Shape.Struct shape) {
      this.shape = shape;
    }

    @Override
    public ReadContext init(InitContext context) {
      MessageType file = context.getFileSchema();
      List<Type> wanted = new ArrayList<>();
      for (Shape.Field field : shape.fields()) {
        if (file.containsField(field.column())) {
          wanted.add(file.getType(field.column()));
        }
      }
      return new ReadContext(new MessageType(file.getName(), wanted));
    }

    @Override
    @SuppressWarnings("deprecation") // abstract until the library drops Hadoop
    public RecordMaterializer<Record> prepareForRead(
        Configuration configuration,
        Map<String, String> metadata,
        MessageType file,
        ReadContext context) {
      return new Materializer(shape, context.getRequestedSchema());
    }

    @Override
    public RecordMaterializer<Record> prepareForRead(
        ParquetConfiguration configuration,
        Map<String, String> metadata,
        MessageType file,
        ReadContext context) {
      return new Materializer(shape, context.getRequestedSchema());
    }
  }

  private static final class Materializer extends RecordMaterializer<Record> {
    private final GroupConverter root;
    private @Nullable Object row;

    private Materializer(Shape.Struct shape, GroupType schema) {
      root = new StructConverter(shape, schema, value -> row = value);
    }

    @Override
    public Record getCurrentRecord() {
      return (Record) Objects.requireNonNull(row);
    }

    @Override
    public GroupConverter getRootConverter() {
      return root;
    }
  }

  private static Converter converter(Shape shape, Type type, Consumer<Object> sink) {
    if (shape instanceof Shape.Scalar scalar) {
      if (!type.isPrimitive()) {
        throw new IllegalArgumentException("column " + type.getName() + " holds groups");
      }
      return new ScalarConverter(scalar, sink);
    }
    if (type.isPrimitive()) {
      throw new IllegalArgumentException("column " + type.getName() + " holds single values");
    }
    GroupType group = type.asGroupType();
    if (shape instanceof Shape.Struct struct) {
      return new StructConverter(struct, group, sink);
    }
    return new RepeatedConverter(shape, group.getType(0).asGroupType(), sink);
  }

  private static final class StructConverter extends GroupConverter {
    private final Shape.Struct shape;
    private final Converter[] converters;
    private final Consumer<Object> sink;
    private @Nullable Object[] values;

    private StructConverter(Shape.Struct shape, GroupType type, Consumer<Object> sink) {
      this.shape = shape;
      this.sink = sink;
      this.values = new @Nullable Object[shape.fields().size()];
      this.converters = new Converter[type.getFieldCount()];
      for (int i = 0; i < shape.fields().size(); i++) {
        Shape.Field field = shape.fields().get(i);
        if (type.containsField(field.column())) {
          int at = i;
          converters[type.getFieldIndex(field.column())] =
              converter(field.shape(), type.getType(field.column()), value -> values[at] = value);
        }
      }
      for (int i = 0; i < converters.length; i++) {
        if (converters[i] == null) {
          converters[i] = ignoring(type.getType(i));
        }
      }
    }

    @Override
    public Converter getConverter(int field) {
      return converters[field];
    }

    @Override
    public void start() {
      values = new @Nullable Object[shape.fields().size()];
    }

    @Override
    public void end() {
      for (int i = 0; i < values.length; i++) {
        Shape.Field field = shape.fields().get(i);
        if (values[i] == null && !field.nullable()) {
          throw new IllegalArgumentException(
              "column " + field.column() + " of " + shape.type().getSimpleName() + " is missing");
        }
      }
      sink.accept(shape.create(values));
    }
  }

  /** For what a nested record of a newer writer has beyond the shape. */
  private static Converter ignoring(Type type) {
    if (type.isPrimitive()) {
      return new IgnoredValue();
    }
    List<Converter> fields =
        type.asGroupType().getFields().stream().map(RecordReading::ignoring).toList();
    return new GroupConverter() {
      @Override
      public Converter getConverter(int field) {
        return fields.get(field);
      }

      @Override
      public void start() {}

      @Override
      public void end() {}
    };
  }

  private static final class IgnoredValue extends PrimitiveConverter {
    @Override
    public void addBinary(Binary value) {}

    @Override
    public void addInt(int value) {}

    @Override
    public void addLong(long value) {}

    @Override
    public void addFloat(float value) {}

    @Override
    public void addDouble(double value) {}

    @Override
    public void addBoolean(boolean value) {}
  }

  /** A list or map: the group around its repeated level. */
  private static final class RepeatedConverter extends GroupConverter {
    private final GroupConverter repeated;
    private final Consumer<Object> sink;
    private final boolean list;
    private List<Object> elements = List.of();
    private Map<String, Object> entries = Map.of();
    private @Nullable Object key;
    private @Nullable Object value;

    private RepeatedConverter(Shape shape, GroupType level, Consumer<Object> sink) {
      this.sink = sink;
      this.list = shape instanceof Shape.ListOf;
      Converter[] members = new Converter[level.getFieldCount()];
      if (shape instanceof Shape.ListOf listOf) {
        members[0] = converter(listOf.element(), level.getType(0), v -> value = v);
      } else {
        Shape.MapOf mapOf = (Shape.MapOf) shape;
        members[0] = converter(ParquetCodec.KEY, level.getType(0), v -> key = v);
        members[1] = converter(mapOf.value(), level.getType(1), v -> value = v);
      }
      this.repeated =
          new GroupConverter() {
            @Override
            public Converter getConverter(int field) {
              return members[field];
            }

            @Override
            public void start() {
              key = null;
              value = null;
            }

            @Override
            public void end() {
              take(level.getName());
            }
          };
    }

    private void take(String column) {
      Object taken = value;
      if (taken == null || (!list && key == null)) {
        throw new IllegalArgumentException("an element of " + column + " is missing");
      }
      if (list) {
        elements.add(taken);
      } else {
        entries.put((String) Objects.requireNonNull(key), taken);
      }
    }

    @Override
    public Converter getConverter(int field) {
      return repeated;
    }

    @Override
    public void start() {
      if (list) {
        elements = new ArrayList<>();
      } else {
        entries = new LinkedHashMap<>();
      }
    }

    @Override
    public void end() {
      sink.accept(list ? elements : entries);
    }
  }

  private static final class ScalarConverter extends PrimitiveConverter {
    private final Shape.Scalar scalar;
    private final Consumer<Object> sink;
    private @Nullable Object[] dictionary = new @Nullable Object[0];

    private ScalarConverter(Shape.Scalar scalar, Consumer<Object> sink) {
      this.scalar = scalar;
      this.sink = sink;
    }

    private void accept(Shape.Kind one, Shape.Kind other, Object carrier) {
      if (scalar.kind() != one && scalar.kind() != other) {
        throw new IllegalArgumentException(
            "a column of " + one + " stands where " + scalar.kind() + " is expected");
      }
      sink.accept(scalar.load().apply(carrier));
    }

    @Override
    public boolean hasDictionarySupport() {
      return scalar.kind() == Shape.Kind.TEXT;
    }

    @Override
    public void setDictionary(Dictionary texts) {
      dictionary = new @Nullable Object[texts.getMaxId() + 1];
      for (int i = 0; i < dictionary.length; i++) {
        dictionary[i] = scalar.load().apply(texts.decodeToBinary(i).toStringUsingUTF8());
      }
    }

    @Override
    public void addValueFromDictionary(int id) {
      sink.accept(Objects.requireNonNull(dictionary[id]));
    }

    @Override
    public void addBinary(Binary value) {
      accept(Shape.Kind.TEXT, Shape.Kind.TEXT, value.toStringUsingUTF8());
    }

    @Override
    public void addInt(int value) {
      accept(Shape.Kind.INT, Shape.Kind.DATE, value);
    }

    @Override
    public void addLong(long value) {
      accept(Shape.Kind.LONG, Shape.Kind.TIMESTAMP, value);
    }

    @Override
    public void addFloat(float value) {
      accept(Shape.Kind.FLOAT, Shape.Kind.FLOAT, value);
    }

    @Override
    public void addDouble(double value) {
      accept(Shape.Kind.DOUBLE, Shape.Kind.DOUBLE, value);
    }

    @Override
    public void addBoolean(boolean value) {
      accept(Shape.Kind.BOOLEAN, Shape.Kind.BOOLEAN, value);
    }
  }
}
