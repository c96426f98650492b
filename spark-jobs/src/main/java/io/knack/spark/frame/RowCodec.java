package io.knack.spark.frame;

import io.knack.contracts.table.Shape;
import io.knack.contracts.table.Table;
import java.io.Serial;
import java.io.Serializable;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoder;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A contract's record as a Spark row and back, derived from the {@link Shape} that its Parquet
 * files have: same column names, same types.
 *
 * <p>Java records have no encoder of their own ({@code Encoders.bean} gives an empty schema and
 * loses the data without a word), so that data sets here are of rows, and jobs turn rows into
 * records where they compute. Nested structs must have the codec's own field order: {@link #align}
 * puts any data set into it, by name.
 *
 * @param <T> the record
 */
public final class RowCodec<T extends Record> implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  private final Class<T> type;
  private transient Shape.@Nullable Struct shape;
  private transient @Nullable StructType schema;

  private RowCodec(Class<T> type) {
    this.type = type;
  }

  public static <T extends Record> RowCodec<T> of(Table<T> table) {
    return of(table.type());
  }

  public static <T extends Record> RowCodec<T> of(Class<T> type) {
    return new RowCodec<>(type);
  }

  public StructType schema() {
    StructType known = schema;
    if (known == null) {
      known = structType(shape());
      schema = known;
    }
    return known;
  }

  public Encoder<Row> encoder() {
    return Encoders.row(schema());
  }

  public Row toRow(T value) {
    return struct(shape(), value);
  }

  /**
   * @param row with this codec's columns in this codec's order, see {@link #align}
   */
  public T fromRow(Row row) {
    return type.cast(struct(shape(), row));
  }

  /**
   * The codec's columns of a data set, in the codec's order, nested ones too; others are dropped.
   */
  public Dataset<Row> align(Dataset<Row> rows) {
    if (rows.schema().equals(schema())) {
      return rows;
    }
    Column[] columns =
        Arrays.stream(schema().fieldNames()).map(functions::col).toArray(Column[]::new);
    return rows.select(columns).to(nullable(schema()));
  }

  private Shape.Struct shape() {
    Shape.Struct known = shape;
    if (known == null) {
      known = Shape.of(type);
      shape = known;
    }
    return known;
  }

  // ---- types

  private static StructType structType(Shape.Struct struct) {
    List<StructField> fields = new ArrayList<>();
    for (Shape.Field field : struct.fields()) {
      fields.add(
          DataTypes.createStructField(field.column(), dataType(field.shape()), field.nullable()));
    }
    return DataTypes.createStructType(fields);
  }

  private static DataType dataType(Shape shape) {
    if (shape instanceof Shape.Scalar scalar) {
      return switch (scalar.kind()) {
        case TEXT -> DataTypes.StringType;
        case INT -> DataTypes.IntegerType;
        case LONG -> DataTypes.LongType;
        case FLOAT -> DataTypes.FloatType;
        case DOUBLE -> DataTypes.DoubleType;
        case BOOLEAN -> DataTypes.BooleanType;
        case TIMESTAMP -> DataTypes.TimestampType;
        case DATE -> DataTypes.DateType;
      };
    }
    if (shape instanceof Shape.ListOf list) {
      return DataTypes.createArrayType(dataType(list.element()), false);
    }
    if (shape instanceof Shape.MapOf map) {
      return DataTypes.createMapType(DataTypes.StringType, dataType(map.value()), false);
    }
    return structType((Shape.Struct) shape);
  }

  /** Files carry no promise about null, so that what is read never does either. */
  static StructType nullable(StructType type) {
    return type.asNullable();
  }

  // ---- to rows

  private static Row struct(Shape.Struct struct, Object value) {
    @Nullable Object[] columns = new Object[struct.fields().size()];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = store(struct.fields().get(i).shape(), struct.read(value, i));
    }
    return RowFactory.create(columns);
  }

  private static @Nullable Object store(Shape shape, @Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (shape instanceof Shape.Scalar scalar) {
      return value instanceof Instant || value instanceof LocalDate
          ? value
          : scalar.store().apply(value);
    }
    if (shape instanceof Shape.ListOf list) {
      List<?> elements = (List<?>) value;
      @Nullable Object[] stored = new Object[elements.size()];
      for (int i = 0; i < stored.length; i++) {
        stored[i] = store(list.element(), elements.get(i));
      }
      return stored;
    }
    if (shape instanceof Shape.MapOf map) {
      Map<String, @Nullable Object> stored = new TreeMap<>();
      ((Map<?, ?>) value)
          .forEach((key, entry) -> stored.put((String) key, store(map.value(), entry)));
      return CollectionConverters.asScala(stored); // the only kind of map that encoders take
    }
    return struct((Shape.Struct) shape, value);
  }

  // ---- from rows

  @SuppressWarnings("NullAway") // it does not read annotations of array elements from class files
  private static Object struct(Shape.Struct struct, Row row) {
    @Nullable Object[] values = new Object[struct.fields().size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = load(struct.fields().get(i).shape(), row.get(i));
    }
    return struct.create(values);
  }

  private static @Nullable Object load(Shape shape, @Nullable Object stored) {
    if (stored == null) {
      return null;
    }
    if (shape instanceof Shape.Scalar scalar) {
      if (stored instanceof Instant || stored instanceof LocalDate) {
        return stored;
      }
      if (stored instanceof Timestamp timestamp) {
        return timestamp.toInstant();
      }
      if (stored instanceof Date date) {
        return date.toLocalDate();
      }
      return scalar.load().apply(stored);
    }
    if (shape instanceof Shape.ListOf list) {
      List<Object> values = new ArrayList<>();
      for (Object element : list(stored)) {
        values.add(present(load(list.element(), element)));
      }
      return values;
    }
    if (shape instanceof Shape.MapOf map) {
      Map<String, Object> values = new TreeMap<>();
      map(stored)
          .forEach((key, entry) -> values.put((String) key, present(load(map.value(), entry))));
      return values;
    }
    return struct((Shape.Struct) shape, (Row) stored);
  }

  private static List<?> list(Object stored) {
    if (stored instanceof List<?> list) {
      return list;
    }
    if (stored instanceof scala.collection.Iterable<?> elements) {
      List<Object> copy = new ArrayList<>();
      CollectionConverters.asJava(elements).forEach(copy::add);
      return copy;
    }
    return Arrays.asList((Object[]) stored);
  }

  private static Map<?, ?> map(Object stored) {
    return stored instanceof Map<?, ?> map
        ? map
        : CollectionConverters.asJava((scala.collection.Map<?, ?>) stored);
  }

  private static Object present(@Nullable Object value) {
    if (value == null) {
      throw new IllegalArgumentException("a list or map of a contract holds null");
    }
    return value;
  }
}
