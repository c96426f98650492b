package io.knack.contracts.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.table.Shape;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Plans are records, read from strict YAML. A key is the component's name in snake_case; an unknown
 * key is a problem with a "did you mean"; a missing key takes its {@link Default}, or null where
 * the component is {@code @Nullable} and has none, or an empty list, map or nested record. {@link
 * Range} bounds are checked, then the record's own compact constructor, whose {@link
 * IllegalArgumentException} is one more problem; all problems are reported at once in one {@link
 * PlanException}.
 *
 * <p>Components may be numbers, booleans, strings, enums (lower case), {@link Duration} ({@code
 * 90s}, {@code 2h}, {@code PT2H}), {@link Path}, lists (a single value stands for a list of one),
 * maps with text keys, and records of the same.
 */
public final class Plans {
  private static final ObjectMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .build();
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

  private Plans() {}

  /**
   * Reads and checks a plan.
   *
   * @param file null for defaults
   * @param overrides {@code path.to.field=value}, the value as YAML
   * @throws PlanException with every problem, one a line
   */
  public static <P extends Record> P read(
      Class<P> type, @Nullable Path file, List<String> overrides) {
    String where = file == null ? "the plan" : file.toString();
    ObjectNode tree = file == null ? JsonNodeFactory.instance.objectNode() : readTree(file);
    List<String> problems = new ArrayList<>();
    for (String override : overrides) {
      override(tree, override, problems);
    }
    Object plan = new Binding(problems).record(type, tree, "");
    if (!problems.isEmpty() || plan == null) {
      List<String> lines = new ArrayList<>();
      lines.add(
          where
              + (problems.size() == 1
                  ? " has a problem:"
                  : " has " + problems.size() + " problems:"));
      problems.forEach(problem -> lines.add("  " + problem));
      throw new PlanException(lines);
    }
    return type.cast(plan);
  }

  /** Keys sorted, no white space: what a plan's digest is taken of. */
  public static String canonicalJson(Record plan) {
    try {
      return JSON.writeValueAsString(plain(plan));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode readTree(Path file) {
    try {
      JsonNode tree = YAML.readTree(Files.readString(file));
      if (tree == null || tree.isMissingNode() || tree.isNull()) {
        return JsonNodeFactory.instance.objectNode();
      }
      if (tree instanceof ObjectNode object) {
        return object;
      }
      throw new PlanException(file + " is not a plan: expected keys and values at the top");
    } catch (JsonProcessingException e) {
      throw new PlanException(file + " is not YAML: " + e.getOriginalMessage() + at(e));
    } catch (IOException e) {
      throw new PlanException(
          "cannot read the plan " + file + ": " + (Files.exists(file) ? e : "no such file"));
    }
  }

  private static String at(JsonProcessingException e) {
    return e.getLocation() == null
        ? ""
        : " (line "
            + e.getLocation().getLineNr()
            + ", column "
            + e.getLocation().getColumnNr()
            + ")";
  }

  private static void override(ObjectNode tree, String override, List<String> problems) {
    int equals = override.indexOf('=');
    if (equals <= 0) {
      problems.add("--set " + override + ": expected path.to.field=value");
      return;
    }
    String[] path = override.substring(0, equals).split("\\.", -1);
    ObjectNode node = tree;
    for (int i = 0; i < path.length - 1; i++) {
      JsonNode child = node.get(path[i]);
      node = child instanceof ObjectNode object ? object : node.putObject(path[i]);
    }
    try {
      JsonNode value = YAML.readTree(override.substring(equals + 1));
      node.set(
          path[path.length - 1],
          value == null || value.isMissingNode() ? NullNode.getInstance() : value);
    } catch (JsonProcessingException e) {
      problems.add("--set " + override + ": the value is not YAML: " + e.getOriginalMessage());
    }
  }

  private static @Nullable Object plain(@Nullable Object value) {
    if (value instanceof Record plan) {
      Map<String, @Nullable Object> fields = new TreeMap<>();
      for (RecordComponent component : plan.getClass().getRecordComponents()) {
        try {
          fields.put(
              Shape.snakeCase(component.getName()), plain(component.getAccessor().invoke(plan)));
        } catch (ReflectiveOperationException e) {
          throw new IllegalStateException(plan.getClass() + " must be public to be a plan", e);
        }
      }
      return fields;
    }
    if (value instanceof List<?> list) {
      return list.stream().map(Plans::plain).toList();
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> entries = new TreeMap<>();
      map.forEach((key, entry) -> entries.put(String.valueOf(key), plain(entry)));
      return entries;
    }
    if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT);
    }
    if (value instanceof Path || value instanceof Duration) {
      return value.toString();
    }
    return value;
  }

  /** One pass over a tree that notes every problem and binds what it can. */
  private record Binding(List<String> problems) {

    @Nullable Object record(Class<?> type, ObjectNode tree, String path) {
      RecordComponent[] components = type.getRecordComponents();
      Map<String, RecordComponent> byKey = new LinkedHashMap<>();
      for (RecordComponent component : components) {
        byKey.put(Shape.snakeCase(component.getName()), component);
      }
      tree.fieldNames()
          .forEachRemaining(
              key -> {
                if (!byKey.containsKey(key)) {
                  problems.add(path + key + ": unknown key" + didYouMean(key, byKey));
                }
              });
      int before = problems.size();
      @Nullable Object[] values = new @Nullable Object[components.length];
      int i = 0;
      for (Map.Entry<String, RecordComponent> entry : byKey.entrySet()) {
        values[i++] = component(entry.getValue(), tree.get(entry.getKey()), path + entry.getKey());
      }
      return problems.size() > before ? null : create(type, components, values, path);
    }

    private @Nullable Object component(
        RecordComponent component, @Nullable JsonNode given, String path) {
      boolean nullable = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
      JsonNode node = given;
      if (node == null) {
        Default byDefault = component.getAnnotation(Default.class);
        if (byDefault != null) {
          node = parseDefault(component, byDefault);
        } else if (nullable) {
          return null;
        } else if (component.getType() == List.class) {
          return List.of();
        } else if (component.getType() == Map.class) {
          return Map.of();
        } else if (component.getType().isRecord()) {
          node = JsonNodeFactory.instance.objectNode();
        } else {
          problems.add(path + ": is required");
          return null;
        }
      }
      if (node.isNull()) {
        if (!nullable) {
          problems.add(path + ": must not be null");
        }
        return null;
      }
      Object value = value(component.getGenericType(), node, path);
      Range range = component.getAnnotation(Range.class);
      if (range != null && value instanceof Number number) {
        double at = number.doubleValue();
        if (!(at >= range.min() && at <= range.max())) {
          problems.add(path + ": is " + node.asText() + ", " + expected(range));
        }
      }
      return value;
    }

    private static JsonNode parseDefault(RecordComponent component, Default byDefault) {
      try {
        return YAML.readTree(byDefault.value());
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("the default of " + component + " is not YAML", e);
      }
    }

    private static String expected(Range range) {
      if (range.min() == Double.NEGATIVE_INFINITY) {
        return "expected at most " + number(range.max());
      }
      if (range.max() == Double.POSITIVE_INFINITY) {
        return "expected at least " + number(range.min());
      }
      return "expected " + number(range.min()) + " to " + number(range.max());
    }

    private static String number(double value) {
      return value == Math.rint(value) && Math.abs(value) < 1e15
          ? String.valueOf((long) value)
          : String.valueOf(value);
    }

    private @Nullable Object value(Type type, JsonNode node, String path) {
      if (type instanceof ParameterizedType generic && generic.getRawType() == List.class) {
        return list(generic.getActualTypeArguments()[0], node, path);
      }
      if (type instanceof ParameterizedType generic && generic.getRawType() == Map.class) {
        return map(generic.getActualTypeArguments()[1], node, path);
      }
      if (!(type instanceof Class<?> plain)) {
        throw new IllegalStateException("a plan cannot hold a " + type.getTypeName());
      }
      if (plain.isRecord()) {
        if (node instanceof ObjectNode object) {
          return record(plain, object, path + ".");
        }
        return wrong(path, node, "keys and values");
      }
      if (!node.isValueNode()) {
        return wrong(path, node, "a single value");
      }
      return scalar(plain, node, node.asText().strip(), path);
    }

    private @Nullable Object scalar(Class<?> type, JsonNode node, String text, String path) {
      try {
        if (type == String.class) {
          return node.asText();
        }
        if (type == boolean.class || type == Boolean.class) {
          return node.isBoolean() ? node.booleanValue() : wrong(path, node, "true or false");
        }
        if (type == int.class || type == Integer.class) {
          return Integer.valueOf(text);
        }
        if (type == long.class || type == Long.class) {
          return Long.valueOf(text);
        }
        if (type == double.class || type == Double.class) {
          double number = Double.parseDouble(text);
          return Double.isFinite(number) ? number : wrong(path, node, "a finite number");
        }
        if (type == Duration.class) {
          return duration(text);
        }
        if (type == Path.class) {
          return Path.of(text);
        }
      } catch (IllegalArgumentException | java.time.format.DateTimeParseException e) {
        return wrong(path, node, expectedOf(type));
      }
      if (type.isEnum()) {
        for (Object constant : type.getEnumConstants()) {
          if (((Enum<?>) constant).name().equalsIgnoreCase(text)) {
            return constant;
          }
        }
        String choices =
            Arrays.stream(type.getEnumConstants())
                .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
        return wrong(path, node, "one of " + choices);
      }
      throw new IllegalStateException("a plan cannot hold a " + type.getName());
    }

    private static String expectedOf(Class<?> type) {
      if (type == Duration.class) {
        return "a duration such as 90s, 15m, 2h or 1d";
      }
      if (type == Path.class) {
        return "a path";
      }
      return type == double.class || type == Double.class ? "a number" : "a whole number";
    }

    private static Duration duration(String text) {
      if (text.matches("\\d+(\\.\\d+)?(ms|s|m|h|d)")) {
        String unit = text.replaceAll("[\\d.]", "");
        double amount = Double.parseDouble(text.substring(0, text.length() - unit.length()));
        double millis =
            amount
                * switch (unit) {
                  case "ms" -> 1;
                  case "s" -> 1_000;
                  case "m" -> 60_000;
                  case "h" -> 3_600_000;
                  default -> 86_400_000;
                };
        return Duration.ofMillis(Math.round(millis));
      }
      return Duration.parse(text);
    }

    private List<Object> list(Type element, JsonNode node, String path) {
      List<Object> elements = new ArrayList<>();
      if (node.isArray()) {
        for (int i = 0; i < node.size(); i++) {
          Object value = value(element, node.get(i), path + "[" + i + "]");
          if (value != null) {
            elements.add(value);
          }
        }
      } else {
        Object value = value(element, node, path);
        if (value != null) {
          elements.add(value);
        }
      }
      return List.copyOf(elements);
    }

    private Map<String, Object> map(Type entry, JsonNode node, String path) {
      Map<String, Object> entries = new LinkedHashMap<>();
      if (!node.isObject()) {
        wrong(path, node, "keys and values");
        return entries;
      }
      node.properties()
          .forEach(
              field -> {
                Object value = value(entry, field.getValue(), path + "." + field.getKey());
                if (value != null) {
                  entries.put(field.getKey(), value);
                }
              });
      return java.util.Collections.unmodifiableMap(entries);
    }

    private @Nullable Object wrong(String path, JsonNode found, String expected) {
      problems.add(path + ": is " + abbreviate(found.toString()) + ", expected " + expected);
      return null;
    }

    private static String abbreviate(String text) {
      return text.length() > 60 ? text.substring(0, 57) + "..." : text;
    }

    private @Nullable Object create(
        Class<?> type, RecordComponent[] components, @Nullable Object[] values, String path) {
      Class<?>[] types =
          Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      try {
        Constructor<?> constructor = type.getDeclaredConstructor(types);
        return constructor.newInstance(values);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof IllegalArgumentException problem) {
          problems.add(path + problem.getMessage());
          return null;
        }
        if (e.getCause() instanceof PlanException plan) {
          String.valueOf(plan.getMessage()).lines().forEach(line -> problems.add(path + line));
          return null;
        }
        throw new IllegalStateException(e.getCause());
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(type + " must be public to be a plan", e);
      }
    }

    private static String didYouMean(String key, Map<String, RecordComponent> known) {
      return known.keySet().stream()
          .filter(name -> distance(key, name) <= Math.max(2, name.length() / 3))
          .min(Comparator.comparingInt(name -> distance(key, name)))
          .map(name -> "; did you mean " + name + "?")
          .orElse("; known keys: " + String.join(", ", known.keySet()));
    }

    /** Levenshtein's edit distance. */
    private static int distance(String a, String b) {
      int[] row = new int[b.length() + 1];
      for (int j = 0; j <= b.length(); j++) {
        row[j] = j;
      }
      for (int i = 1; i <= a.length(); i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= b.length(); j++) {
          int above = row[j];
          int substitution = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
          row[j] = Math.min(substitution, 1 + Math.min(above, row[j - 1]));
          diagonal = above;
        }
      }
      return row[b.length()];
    }
  }
}
