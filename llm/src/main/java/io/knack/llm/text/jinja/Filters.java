package io.knack.llm.text.jinja;

import io.knack.llm.text.jinja.Callable.Arguments;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** What may follow {@code |}. Filters that Python makes lazy give lists here. */
final class Filters {
  @FunctionalInterface
  private interface Filter {
    Object apply(Evaluation run, Object value, Arguments arguments);
  }

  private static final Map<String, Filter> FILTERS = filters();

  private Filters() {}

  static boolean exists(String name) {
    return FILTERS.containsKey(name);
  }

  static void check(String name, int line) {
    if (!exists(name)) {
      throw TemplateException.unsupported(line, "filter '" + name + "'");
    }
  }

  static Object apply(Evaluation run, String name, Object value, Arguments arguments) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw new TemplateException(
          TemplateException.Kind.UNSUPPORTED, "unknown filter '" + name + "'");
    }
    return run.meter.bounded(filter.apply(run, value, arguments));
  }

  private static Map<String, Filter> filters() {
    Map<String, Filter> all = new LinkedHashMap<>();
    text(all);
    numbers(all);
    sequences(all);
    all.put("tojson", (run, value, a) -> Json.write(value, a));
    Filter standard =
        (run, value, a) -> {
          a.allow("default", "default_value", "boolean");
          boolean replaced =
              value instanceof Undefined || (a.flag(1, "boolean", false) && !Values.truth(value));
          return replaced ? a.get(0, "default_value", "") : value;
        };
    all.put("default", standard);
    all.put("d", standard);
    return all;
  }

  private static void text(Map<String, Filter> all) {
    all.put("string", (run, value, a) -> Values.text(value));
    all.put("safe", (run, value, a) -> value);
    all.put("upper", (run, value, a) -> Values.text(value).toUpperCase(Locale.ROOT));
    all.put("lower", (run, value, a) -> Values.text(value).toLowerCase(Locale.ROOT));
    all.put("capitalize", (run, value, a) -> Methods.capitalize(Values.text(value)));
    all.put("title", (run, value, a) -> Methods.title(Values.text(value)));
    all.put(
        "trim",
        (run, value, a) -> {
          Object chars = a.allow("trim", "chars").get(0, "chars", None.NONE);
          Callable strip = Methods.find(Values.text(value), "strip");
          return strip == null ? value : strip.call(run, Arguments.of(chars));
        });
    all.put(
        "replace",
        (run, value, a) ->
            Methods.replace(
                run,
                Values.text(value),
                Values.text(a.allow("replace", "old", "new", "count").required(0, "old")),
                Values.text(a.required(1, "new")),
                a.get(2, "count", None.NONE) instanceof None ? -1 : a.integer(2, "count", -1)));
    all.put("indent", Filters::indent);
    Filter escape =
        (run, value, a) ->
            Values.text(value)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    all.put("escape", escape);
    all.put("e", escape);
    all.put(
        "wordcount",
        (run, value, a) -> (long) Values.string(value).trim().split("\\W+", -1).length);
    all.put(
        "format",
        (run, value, a) -> Operators.format(Values.string(value), new Tuple(a.positional())));
    all.put(
        "truncate",
        (run, value, a) -> {
          a.allow("truncate", "length", "killwords", "end", "leeway");
          String text = Values.text(value);
          int most = Values.index(a.get(0, "length", 255L));
          String end = a.text(2, "end", "...");
          if (Values.length(text) <= most + a.integer(3, "leeway", 5)) {
            return text;
          }
          String cut = Values.text(Values.slice(text, 0L, (long) most - Values.length(end), null));
          if (!a.flag(1, "killwords", false) && cut.indexOf(' ') >= 0) {
            cut = cut.substring(0, cut.lastIndexOf(' '));
          }
          return cut + end;
        });
  }

  private static void numbers(Map<String, Filter> all) {
    all.put(
        "int",
        (run, value, a) -> {
          Object otherwise = a.allow("int", "default", "base").get(0, "default", 0L);
          if (value instanceof String text) {
            try {
              return Long.parseLong(text.strip(), (int) a.integer(1, "base", 10));
            } catch (NumberFormatException e) {
              try {
                return (long) Double.parseDouble(text.strip());
              } catch (NumberFormatException f) {
                return otherwise;
              }
            }
          }
          return Values.isNumber(value) ? (Object) (long) Values.number(value) : otherwise;
        });
    all.put(
        "float",
        (run, value, a) -> {
          Object otherwise = a.allow("float", "default").get(0, "default", 0.0);
          if (value instanceof String text) {
            try {
              return Double.parseDouble(text.strip());
            } catch (NumberFormatException e) {
              return otherwise;
            }
          }
          return Values.isNumber(value) ? (Object) Values.number(value) : otherwise;
        });
    all.put(
        "abs",
        (run, value, a) ->
            value instanceof Double real
                ? (Object) Math.abs(real)
                : (Object) Math.absExact(Values.integer(value)));
    all.put(
        "round",
        (run, value, a) -> {
          a.allow("round", "precision", "method");
          RoundingMode mode =
              switch (a.text(1, "method", "common")) {
                case "ceil" -> RoundingMode.CEILING;
                case "floor" -> RoundingMode.FLOOR;
                default -> RoundingMode.HALF_EVEN;
              };
          return new BigDecimal(Values.number(value))
              .setScale((int) a.integer(0, "precision", 0), mode)
              .doubleValue();
        });
  }

  private static void sequences(Map<String, Filter> all) {
    Filter length = (run, value, a) -> (long) Values.length(value);
    all.put("length", length);
    all.put("count", length);
    all.put("list", (run, value, a) -> new ArrayList<>(Values.elements(value)));
    all.put("first", (run, value, a) -> end(value, 0));
    all.put("last", (run, value, a) -> end(value, Values.elements(value).size() - 1));
    all.put("items", (run, value, a) -> items(value));
    all.put("join", Filters::join);
    all.put(
        "reverse",
        (run, value, a) -> {
          List<Object> reversed = new ArrayList<>(Values.elements(value));
          Collections.reverse(reversed);
          return value instanceof String ? Methods.joined(reversed, "") : reversed;
        });
    all.put("map", Filters::map);
    all.put("select", (run, value, a) -> choose(value, a, Chosen.ELEMENT, true));
    all.put("reject", (run, value, a) -> choose(value, a, Chosen.ELEMENT, false));
    all.put("selectattr", (run, value, a) -> choose(value, a, Chosen.ATTRIBUTE, true));
    all.put("rejectattr", (run, value, a) -> choose(value, a, Chosen.ATTRIBUTE, false));
    all.put(
        "sum",
        (run, value, a) -> {
          a.allow("sum", "attribute", "start");
          Object sum = a.get(1, "start", 0L);
          Object name = a.get(0, "attribute", None.NONE);
          for (Object element : Values.elements(value)) {
            sum = Operators.binary(run, "+", sum, path(element, name));
          }
          return sum;
        });
    all.put("min", (run, value, a) -> extreme(value, a, -1));
    all.put("max", (run, value, a) -> extreme(value, a, 1));
    all.put(
        "sort",
        (run, value, a) -> {
          a.allow("sort", "reverse", "case_sensitive", "attribute");
          List<Object> sorted = new ArrayList<>(Values.elements(value));
          Object name = a.get(2, "attribute", None.NONE);
          boolean exact = a.flag(1, "case_sensitive", false);
          Comparator<Object> order =
              (x, y) -> Values.compare(folded(path(x, name), exact), folded(path(y, name), exact));
          sorted.sort(a.flag(0, "reverse", false) ? order.reversed() : order);
          return sorted;
        });
    all.put(
        "unique",
        (run, value, a) -> {
          a.allow("unique", "case_sensitive", "attribute");
          Object name = a.get(1, "attribute", None.NONE);
          boolean exact = a.flag(0, "case_sensitive", false);
          Map<Object, Object> seen = new LinkedHashMap<>();
          for (Object element : Values.elements(value)) {
            seen.putIfAbsent(folded(path(element, name), exact), element);
          }
          return new ArrayList<>(seen.values());
        });
    all.put(
        "dictsort",
        (run, value, a) -> {
          a.allow("dictsort", "case_sensitive", "by", "reverse");
          int by = a.text(1, "by", "key").equals("value") ? 1 : 0;
          boolean exact = a.flag(0, "case_sensitive", false);
          Comparator<Object> order =
              (x, y) ->
                  Values.compare(
                      folded(Values.elements(x).get(by), exact),
                      folded(Values.elements(y).get(by), exact));
          List<Object> pairs = items(value);
          pairs.sort(a.flag(2, "reverse", false) ? order.reversed() : order);
          return pairs;
        });
    all.put(
        "batch",
        (run, value, a) -> {
          a.allow("batch", "linecount");
          int size = (int) Math.max(1, Values.integer(a.required(0, "linecount")));
          List<Object> elements = Values.elements(value);
          List<Object> batches = new ArrayList<>();
          for (int i = 0; i < elements.size(); i += size) {
            batches.add(new ArrayList<>(elements.subList(i, Math.min(elements.size(), i + size))));
          }
          return batches;
        });
  }

  private static List<Object> items(Object value) {
    List<Object> pairs = new ArrayList<>();
    if (!(value instanceof Undefined)) {
      Values.mapping(value).forEach((key, inner) -> pairs.add(Tuple.of(key, inner)));
    }
    return pairs;
  }

  private static Object end(Object value, int at) {
    List<Object> elements = Values.elements(value);
    return elements.isEmpty()
        ? new Undefined("there is no first or last element of nothing")
        : elements.get(at);
  }

  private static Object folded(Object value, boolean exact) {
    return !exact && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
  }

  /** Follows {@code a.b.0}; None is the element itself. */
  private static Object path(Object element, Object name) {
    if (name instanceof None) {
      return element;
    }
    if (name instanceof Long) {
      return Evaluation.item(element, name);
    }
    Object value = element;
    for (String part : Values.string(name).split("\\.", -1)) {
      boolean number = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
      value = Evaluation.item(value, number ? (Object) Long.valueOf(part) : part);
    }
    return value;
  }

  private static Object extreme(Object value, Arguments a, int sign) {
    a.allow("min or max", "case_sensitive", "attribute");
    Object name = a.get(1, "attribute", None.NONE);
    boolean exact = a.flag(0, "case_sensitive", false);
    Object best = new Undefined("there is no least or greatest element of nothing");
    for (Object element : Values.elements(value)) {
      if (best instanceof Undefined
          || sign
                  * Values.compare(
                      folded(path(element, name), exact), folded(path(best, name), exact))
              > 0) {
        best = element;
      }
    }
    return best;
  }

  private static Object join(Evaluation run, Object value, Arguments a) {
    a.allow("join", "d", "attribute");
    Object name = a.get(1, "attribute", None.NONE);
    String separator = Values.text(a.get(0, "d", ""));
    StringBuilder joined = new StringBuilder();
    boolean first = true;
    for (Object element : Values.elements(value)) {
      joined.append(first ? "" : separator).append(Values.text(path(element, name)));
      run.meter.checkLength(joined.length());
      first = false;
    }
    return joined.toString();
  }

  private static Object map(Evaluation run, Object value, Arguments a) {
    List<Object> mapped = new ArrayList<>();
    if (a.positional().isEmpty()) {
      a.allow("map", "attribute", "default");
      Object name = a.required(0, "attribute");
      for (Object element : Values.elements(value)) {
        Object found = path(element, name);
        mapped.add(found instanceof Undefined ? a.get(1, "default", found) : found);
      }
      return mapped;
    }
    String filter = Values.string(a.positional().get(0));
    Arguments rest = new Arguments(a.positional().subList(1, a.positional().size()), a.named());
    for (Object element : Values.elements(value)) {
      mapped.add(apply(run, filter, element, rest));
    }
    return mapped;
  }

  private enum Chosen {
    ELEMENT,
    ATTRIBUTE
  }

  private static Object choose(Object value, Arguments a, Chosen chosen, boolean wanted) {
    List<Object> given = a.allow("select", given(a)).positional();
    int skip = chosen == Chosen.ATTRIBUTE ? 1 : 0;
    if (given.size() < skip) {
      throw TemplateException.value("the name of an attribute is missing");
    }
    Object name = skip == 1 ? given.get(0) : None.NONE;
    Predicate<Object> test = Values::truth;
    if (given.size() > skip) {
      String testName = Values.string(given.get(skip));
      Arguments rest = new Arguments(given.subList(skip + 1, given.size()), Map.of());
      test = element -> Tests.holds(testName, element, rest);
    }
    List<Object> kept = new ArrayList<>();
    for (Object element : Values.elements(value)) {
      if (test.test(path(element, name)) == wanted) {
        kept.add(element);
      }
    }
    return kept;
  }

  private static String[] given(Arguments arguments) {
    String[] names = new String[arguments.positional().size()];
    java.util.Arrays.setAll(names, i -> "argument " + i);
    return names;
  }

  private static Object indent(Evaluation run, Object value, Arguments a) {
    a.allow("indent", "width", "first", "blank");
    Object width = a.get(0, "width", 4L);
    String margin =
        width instanceof String text
            ? text
            : " ".repeat(Math.max(0, Math.min(256, Values.index(width))));
    boolean blank = a.flag(2, "blank", false);
    StringBuilder out = new StringBuilder();
    String[] lines = Values.text(value).split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      boolean margined = i == 0 ? a.flag(1, "first", false) : blank || !lines[i].isEmpty();
      out.append(i == 0 ? "" : "\n").append(margined ? margin : "").append(lines[i]);
      run.meter.checkLength(out.length());
    }
    return out.toString();
  }
}
