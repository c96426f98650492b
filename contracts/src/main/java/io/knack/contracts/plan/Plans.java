package io.knack.contracts.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.table.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Plans are records, read from strict YAML. A key is the component's name in snake_case; an unknown
 * key is a problem with a "did you mean"; a missing key takes its {@link Default}, or null where
 * the component is {@code @Nullable} and has none, or an empty list, map or nested record. {@link
 * Range} bounds are checked, then the record's own compact constructor, whose {@link
 * IllegalArgumentException} or {@link PlanException} is a problem more for each of its lines. It is
 * asked even when a component is wrong, with that one's default in its place; what it then says of
 * that component is left out. All problems are reported at once in one {@link PlanException}.
 *
 * <p>A text is taken as it is written: a revision {@code 0777} is no number. No text may hold the
 * user name or password of an address, and no problem repeats one; an {@link Address} must be one.
 *
 * <p>Components may be numbers, booleans, strings, enums (lower case), {@link Duration} ({@code
 * 90s}, {@code 2h}, {@code PT2H}), {@link Path}, lists (a single value stands for a list of one),
 * maps with text keys, and records of the same.
 */
public final class Plans {
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
    PlanNode.Mapping tree = file == null ? PlanNode.Mapping.empty() : readTree(file);
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
      problems.forEach(problem -> lines.add("  " + HttpAddress.withoutSecret(problem)));
      throw new PlanException(lines);
    }
    return type.cast(plan);
  }

  /**
   * Keys that a plan file leaves to their defaults, such as {@code prices.per_retrieval_second}:
   * none in a file that shows all of them.
   */
  public static List<String> leftOut(Class<? extends Record> type, Path file) {
    List<String> keys = new ArrayList<>();
    leftOut(type, readTree(file), "", keys);
    return keys;
  }

  private static void leftOut(
      Class<?> type, PlanNode.Mapping tree, String path, List<String> keys) {
    for (RecordComponent component : type.getRecordComponents()) {
      String key = Shape.snakeCase(component.getName());
      PlanNode given = tree.entries().get(key);
      if (given == null) {
        keys.add(path + key);
      } else if (component.getType().isRecord() && given instanceof PlanNode.Mapping mapping) {
        leftOut(component.getType(), mapping, path + key + ".", keys);
      }
    }
  }

  /** Keys sorted, no white space: what a plan's digest is taken of. */
  public static String canonicalJson(Record plan) {
    try {
      return JSON.writeValueAsString(plain(plan));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static PlanNode.Mapping readTree(Path file) {
    try {
      PlanNode tree = PlanNode.parse(Files.readString(file));
      if (tree == null || (tree instanceof PlanNode.Scalar scalar && scalar.isNull())) {
        return PlanNode.Mapping.empty();
      }
      if (tree instanceof PlanNode.Mapping mapping) {
        return mapping;
      }
      throw new PlanException(file + " is not a plan: expected keys and values at the top");
    } catch (JsonProcessingException e) {
      throw new PlanException(
          HttpAddress.withoutSecret(file + " is not YAML: " + e.getOriginalMessage() + at(e)));
    } catch (IllegalArgumentException e) {
      throw new PlanException(file + " " + e.getMessage());
    } catch (CharacterCodingException e) {
      throw new PlanException(
          file + " is not a plan: it is no UTF-8 text; save it in the encoding UTF-8");
    } catch (IOException e) {
      throw new PlanException("cannot read the plan " + file + ": " + why(file, e));
    }
  }

  private static String why(Path file, IOException problem) {
    if (Files.isDirectory(file)) {
      return "it is a directory, expected a YAML file";
    }
    return Files.exists(file) ? String.valueOf(problem) : "no such file";
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

  private static void override(PlanNode.Mapping tree, String override, List<String> problems) {
    int equals = override.indexOf('=');
    if (equals <= 0) {
      problems.add("--set " + override + ": expected path.to.field=value");
      return;
    }
    String field = override.substring(0, equals);
    String[] path = field.split("\\.", -1);
    Map<String, PlanNode> entries = tree.entries();
    for (int i = 0; i < path.length - 1; i++) {
      if (!(entries.get(path[i]) instanceof PlanNode.Mapping)) {
        entries.put(path[i], PlanNode.Mapping.empty());
      }
      if (entries.get(path[i]) instanceof PlanNode.Mapping child) {
        entries = child.entries();
      }
    }
    try {
      PlanNode value = PlanNode.parse(override.substring(equals + 1));
      entries.put(path[path.length - 1], value == null ? PlanNode.Scalar.NULL : value);
    } catch (JsonProcessingException e) {
      problems.add("--set " + override + ": the value is not YAML: " + e.getOriginalMessage());
    } catch (IllegalArgumentException e) {
      problems.add("--set " + field + ": the value " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // A text in memory has no such problem.
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

    /**
     * The record, with defaults in place of what is wrong; null when not even that can be made.
     * There is nothing wrong where no problem is added.
     */
    @Nullable Object record(Class<?> type, PlanNode.Mapping tree, String path) {
      RecordComponent[] components = type.getRecordComponents();
      Map<String, RecordComponent> byKey = new LinkedHashMap<>();
      for (RecordComponent component : components) {
        byKey.put(Shape.snakeCase(component.getName()), component);
      }
      Set<String> doubtful = new HashSet<>();
      for (String key : tree.entries().keySet()) {
        if (!byKey.containsKey(key)) {
          Optional<String> meant = nearest(key, byKey.keySet());
          meant.ifPresent(doubtful::add);
          problems.add(
              path
                  + key
                  + ": unknown key"
                  + meant
                      .map(name -> "; did you mean " + name + "?")
                      .orElse("; known keys: " + String.join(", ", byKey.keySet())));
        }
      }
      boolean complete = true;
      @Nullable Object[] values = new @Nullable Object[components.length];
      int i = 0;
      for (Map.Entry<String, RecordComponent> entry : byKey.entrySet()) {
        String key = entry.getKey();
        RecordComponent component = entry.getValue();
        int before = problems.size();
        Object value = component(component, tree.entries().get(key), path + key);
        if (problems.size() > before) {
          doubtful.add(key);
          if (value == null || !component.getType().isRecord()) {
            value = new Binding(new ArrayList<>()).component(component, null, path + key);
          }
          complete &= value != null || nullable(component);
        }
        values[i++] = value;
      }
      return complete ? create(type, components, values, path, doubtful) : null;
    }

    private static boolean nullable(RecordComponent component) {
      return component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    private @Nullable Object component(
        RecordComponent component, @Nullable PlanNode given, String path) {
      boolean nullable = nullable(component);
      PlanNode node = given;
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
          node = PlanNode.Mapping.empty();
        } else {
          problems.add(path + ": is required");
          return null;
        }
      }
      if (isNull(node)) {
        if (!nullable) {
          problems.add(path + ": must not be null");
        }
        return null;
      }
      int before = problems.size();
      Object value = value(component.getGenericType(), node, path);
      Range range = component.getAnnotation(Range.class);
      if (range != null && value instanceof Number number) {
        double at = number.doubleValue();
        if (!(at >= range.min() && at <= range.max())) {
          problems.add(path + ": is " + node.json().asText() + ", " + expected(range));
        }
      }
      if (component.isAnnotationPresent(Address.class) && problems.size() == before) {
        addresses(value, path);
      }
      return value;
    }

    private void addresses(@Nullable Object value, String path) {
      if (value instanceof String address) {
        HttpAddress.problem(address).ifPresent(problem -> problems.add(path + ": " + problem));
      } else if (value instanceof List<?> list) {
        for (int i = 0; i < list.size(); i++) {
          addresses(list.get(i), path + "[" + i + "]");
        }
      }
    }

    private static boolean isNull(PlanNode node) {
      return node instanceof PlanNode.Scalar scalar && scalar.isNull();
    }

    private static PlanNode parseDefault(RecordComponent component, Default byDefault) {
      try {
        PlanNode node = PlanNode.parse(byDefault.value());
        return node == null ? PlanNode.Scalar.NULL : node;
      } catch (IOException e) {
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

    private @Nullable Object value(Type type, PlanNode node, String path) {
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
        return node instanceof PlanNode.Mapping mapping
            ? record(plain, mapping, path + ".")
            : wrong(path, node, "keys and values");
      }
      return node instanceof PlanNode.Scalar scalar
          ? scalar(plain, scalar, path)
          : wrong(path, node, "a single value");
    }

    /** Of a list or map, where null stands for nothing. */
    private @Nullable Object element(Type type, PlanNode node, String path) {
      if (isNull(node)) {
        problems.add(path + ": must not be null; where the text is meant, write 'null' in quotes");
        return null;
      }
      return value(type, node, path);
    }

    private @Nullable Object scalar(Class<?> type, PlanNode.Scalar node, String path) {
      String text = node.json().asText().strip();
      try {
        if (type == String.class || type == Path.class) {
          if (HttpAddress.holdsSecret(node.text())) {
            problems.add(path + ": " + HttpAddress.secretProblem());
            return null;
          }
          return type == String.class ? node.text() : Path.of(node.text().strip());
        }
        if (type == boolean.class || type == Boolean.class) {
          return node.json().isBoolean()
              ? node.json().booleanValue()
              : wrong(path, node, "true or false");
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

    private List<Object> list(Type type, PlanNode node, String path) {
      List<Object> elements = new ArrayList<>();
      if (node instanceof PlanNode.Sequence sequence) {
        for (int i = 0; i < sequence.elements().size(); i++) {
          Object value = element(type, sequence.elements().get(i), path + "[" + i + "]");
          if (value != null) {
            elements.add(value);
          }
        }
      } else {
        Object value = value(type, node, path);
        if (value != null) {
          elements.add(value);
        }
      }
      return List.copyOf(elements);
    }

    private Map<String, Object> map(Type type, PlanNode node, String path) {
      Map<String, Object> entries = new LinkedHashMap<>();
      if (!(node instanceof PlanNode.Mapping mapping)) {
        wrong(path, node, "keys and values");
        return entries;
      }
      mapping
          .entries()
          .forEach(
              (key, given) -> {
                Object value = element(type, given, path + "." + key);
                if (value != null) {
                  entries.put(key, value);
                }
              });
      return Collections.unmodifiableMap(entries);
    }

    private @Nullable Object wrong(String path, PlanNode found, String expected) {
      String shown = HttpAddress.withoutSecret(found.json().toString());
      problems.add(path + ": is " + abbreviate(shown) + ", expected " + expected);
      return null;
    }

    private static String abbreviate(String text) {
      return text.length() > 60 ? text.substring(0, 57) + "..." : text;
    }

    /**
     * Asks the record's constructor.
     *
     * @param doubtful keys whose values are not what was meant; the constructor's words about them
     *     tell nothing
     */
    private @Nullable Object create(
        Class<?> type,
        RecordComponent[] components,
        @Nullable Object[] values,
        String path,
        Set<String> doubtful) {
      Class<?>[] types =
          Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      try {
        Constructor<?> constructor = type.getDeclaredConstructor(types);
        return constructor.newInstance(values);
      } catch (InvocationTargetException e) {
        if (e.getCause() instanceof IllegalArgumentException
            || e.getCause() instanceof PlanException) {
          String.valueOf(e.getCause().getMessage())
              .lines()
              .filter(line -> doubtful.stream().noneMatch(key -> names(line, key)))
              .forEach(line -> problems.add(path + line));
        } else if (doubtful.isEmpty()) {
          throw new IllegalStateException(e.getCause());
        }
        return null;
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(type + " must be public to be a plan", e);
      }
    }

    private static boolean names(String line, String key) {
      return Pattern.compile("\\b" + Pattern.quote(key) + "\\b").matcher(line).find();
    }

    private static Optional<String> nearest(String key, Set<String> known) {
      return known.stream()
          .filter(name -> distance(key, name) <= Math.max(2, name.length() / 3))
          .min(Comparator.comparingInt(name -> distance(key, name)));
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
