package io.knack.contracts.table;

import io.knack.contracts.id.Id;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How a contract's record lies in a table, derived from its components: the one place where column
 * names and types come from, for Parquet, Spark rows and JSON alike.
 *
 * <p>A column is the component's name in snake_case. Ids are their text, enums their name in lower
 * case, instants microseconds since the epoch, dates days since the epoch; lists, maps with text
 * keys, and records nest. A component marked {@code @Nullable} may be null, nothing else may.
 */
public sealed interface Shape {

  /** The physical type of a scalar, and the Java class that carries it. */
  enum Kind {
    /** {@link String}. */
    TEXT,
    /** {@link Integer}. */
    INT,
    /** {@link Long}. */
    LONG,
    /** {@link Float}. */
    FLOAT,
    /** {@link Double}. */
    DOUBLE,
    /** {@link Boolean}. */
    BOOLEAN,
    /** {@link Long}, microseconds since the epoch, UTC. */
    TIMESTAMP,
    /** {@link Integer}, days since the epoch. */
    DATE
  }

  /**
   * A single value.
   *
   * @param store from the component's value to the carrier of the kind
   * @param load back
   */
  record Scalar(Kind kind, Function<Object, Object> store, Function<Object, Object> load)
      implements Shape {}

  /** A record's columns, in the order of its components. */
  final class Struct implements Shape {
    private final Class<? extends Record> type;
    private final List<Field> fields;
    private final List<MethodHandle> accessors;
    private final MethodHandle constructor;

    private Struct(Class<? extends Record> type) {
      this.type = type;
      List<Field> columns = new ArrayList<>();
      List<MethodHandle> reads = new ArrayList<>();
      RecordComponent[] components = type.getRecordComponents();
      try {
        MethodHandles.Lookup lookup = MethodHandles.lookup();
        for (RecordComponent component : components) {
          AnnotatedType annotated = component.getAnnotatedType();
          columns.add(
              new Field(
                  snakeCase(component.getName()),
                  Shape.of(component.getGenericType(), annotated),
                  annotated.isAnnotationPresent(Nullable.class)));
          reads.add(
              lookup
                  .unreflect(component.getAccessor())
                  .asType(MethodType.methodType(Object.class, Object.class)));
        }
        Class<?>[] types =
            Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        constructor =
            lookup
                .findConstructor(type, MethodType.methodType(void.class, types))
                .asSpreader(Object[].class, types.length)
                .asType(MethodType.methodType(Object.class, Object[].class));
      } catch (ReflectiveOperationException e) {
        throw new IllegalArgumentException(type + " must be public to be a contract", e);
      }
      fields = List.copyOf(columns);
      accessors = List.copyOf(reads);
    }

    public Class<? extends Record> type() {
      return type;
    }

    public List<Field> fields() {
      return fields;
    }

    /** The value of the i-th component. */
    public @Nullable Object read(Object row, int i) {
      try {
        return accessors.get(i).invokeExact(row);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }

    /**
     * Calls the canonical constructor.
     *
     * @param values one per component, already loaded
     */
    public Object create(@Nullable Object[] values) {
      try {
        return constructor.invokeExact(values);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** A list; its elements are never null. */
  record ListOf(Shape element) implements Shape {}

  /** A map with text keys; its values are never null. */
  record MapOf(Shape value) implements Shape {}

  /** One column of a {@link Struct}. */
  record Field(String column, Shape shape, boolean nullable) {}

  /** The shape of a contract. */
  static Struct of(Class<? extends Record> type) {
    return new Struct(type);
  }

  private static Shape of(Type type, AnnotatedType annotated) {
    if (type instanceof ParameterizedType generic
        && annotated instanceof AnnotatedParameterizedType arguments) {
      if (generic.getRawType() == List.class) {
        return new ListOf(
            of(
                generic.getActualTypeArguments()[0],
                arguments.getAnnotatedActualTypeArguments()[0]));
      }
      if (generic.getRawType() == Map.class
          && generic.getActualTypeArguments()[0] == String.class) {
        return new MapOf(
            of(
                generic.getActualTypeArguments()[1],
                arguments.getAnnotatedActualTypeArguments()[1]));
      }
    }
    if (type instanceof Class<?> plain) {
      return ofClass(plain);
    }
    throw new IllegalArgumentException("a contract cannot hold a " + type.getTypeName());
  }

  private static Shape ofClass(Class<?> type) {
    if (type == String.class) {
      return plain(Kind.TEXT);
    }
    if (type == int.class || type == Integer.class) {
      return plain(Kind.INT);
    }
    if (type == long.class || type == Long.class) {
      return plain(Kind.LONG);
    }
    if (type == float.class || type == Float.class) {
      return plain(Kind.FLOAT);
    }
    if (type == double.class || type == Double.class) {
      return plain(Kind.DOUBLE);
    }
    if (type == boolean.class || type == Boolean.class) {
      return plain(Kind.BOOLEAN);
    }
    if (type == Instant.class) {
      return new Scalar(
          Kind.TIMESTAMP, value -> micros((Instant) value), carrier -> instant((Long) carrier));
    }
    if (type == LocalDate.class) {
      return new Scalar(
          Kind.DATE,
          value -> (int) ((LocalDate) value).toEpochDay(),
          carrier -> LocalDate.ofEpochDay((Integer) carrier));
    }
    if (type.isEnum()) {
      return new Scalar(
          Kind.TEXT,
          value -> ((Enum<?>) value).name().toLowerCase(Locale.ROOT),
          carrier -> constant(type, (String) carrier));
    }
    if (type.isRecord() && Id.class.isAssignableFrom(type)) {
      Struct id = of(type.asSubclass(Record.class));
      return new Scalar(
          Kind.TEXT, value -> ((Id) value).value(), carrier -> id.create(new Object[] {carrier}));
    }
    if (type.isRecord()) {
      return of(type.asSubclass(Record.class));
    }
    throw new IllegalArgumentException("a contract cannot hold a " + type.getName());
  }

  private static Scalar plain(Kind kind) {
    return new Scalar(kind, Function.identity(), Function.identity());
  }

  private static long micros(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000L), instant.getNano() / 1_000);
  }

  private static Instant instant(long micros) {
    return Instant.ofEpochSecond(
        Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000L);
  }

  private static Object constant(Class<?> type, String name) {
    for (Object constant : type.getEnumConstants()) {
      if (((Enum<?>) constant).name().equalsIgnoreCase(name)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        "'" + name + "' is none of " + Arrays.toString(type.getEnumConstants()));
  }

  /** {@code clusterId} to {@code cluster_id}. */
  static String snakeCase(String camelCase) {
    StringBuilder snake = new StringBuilder();
    for (int i = 0; i < camelCase.length(); i++) {
      char c = camelCase.charAt(i);
      if (Character.isUpperCase(c)) {
        snake.append('_').append(Character.toLowerCase(c));
      } else {
        snake.append(c);
      }
    }
    return snake.toString();
  }
}
