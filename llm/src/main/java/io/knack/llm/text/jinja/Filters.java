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
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What may follow {@code |}. Filters that Python makes lazy give {@link Generated} elements. */
final class Filters {
  @FunctionalInterface
  private interface Filter {
    Object apply(Evaluation run, Object value, Arguments arguments);
  }

  private static final Pattern REAL =
      Pattern.compile("[+-]?(?:[0-9]++\\.?[0-9]*+|\\.[0-9]++)(?:[eE][+-]?[0-9]++)?");

  /** Of an indent, in characters. */
  private static final int WIDEST = 1000;

  private static final Undefined NOTHING =
      new Undefined("there is no first or last element of nothing");

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
    Object result = filter.apply(run, value, arguments);
    if (result == value && value instanceof String text) {
      run.meter.touch(text.length());
      return value;
    }
    return run.meter.bounded(result);
  }

  private static Map<String, Filter> filters() {
    Map<String, Filter> all = new LinkedHashMap<>();
    text(all);
    numbers(all);
    sequences(all);
    all.put("tojson", (run, value, a) -> Json.write(run.meter, value, a));
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
    all.put("string", (run, value, a) -> Values.text(run.meter, value));
    all.put("safe", (run, value, a) -> value);
    all.put("upper", (run, value, a) -> Values.text(run.meter, value).toUpperCase(Locale.ROOT));
    all.put("lower", (run, value, a) -> Values.text(run.meter, value).toLowerCase(Locale.ROOT));
    all.put("capitalize", (run, value, a) -> Methods.capitalize(Values.text(run.meter, value)));
    all.put("title", (run, value, a) -> Methods.titleOfWords(Values.text(run.meter, value)));
    all.put(
        "trim",
        (run, value, a) -> {
          Object chars = a.allow("trim", "chars").get(0, "chars", None.NONE);
          Callable strip = Methods.find(Values.text(run.meter, value), "strip");
          return strip == null ? value : strip.call(run, Arguments.of(chars));
        });
    all.put(
        "replace",
        (run, value, a) ->
            Methods.replace(
                run.meter,
                Values.text(run.meter, value),
                Values.text(
                    run.meter, a.allow("replace", "old", "new", "count").required(0, "old")),
                Values.text(run.meter, a.required(1, "new")),
                a.get(2, "count", None.NONE) instanceof None ? -1 : a.integer(2, "count", -1)));
    all.put("indent", Filters::indent);
    Filter escape =
        (run, value, a) ->
            Values.text(run.meter, value)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    all.put("escape", escape);
    all.put("e", escape);
    all.put("wordcount", (run, value, a) -> words(run.meter, Values.text(run.meter, value)));
    all.put(
        "format",
        (run, value, a) ->
            Operators.format(run.meter, Values.string(value), new Tuple(a.positional())));
    all.put(
        "truncate",
        (run, value, a) -> {
          a.allow("truncate", "length", "killwords", "end", "leeway");
          String text = Values.text(run.meter, value);
          int most = Values.index(a.get(0, "length", 255L));
          String end = a.text(2, "end", "...");
          if (Values.length(run.meter, text) <= most + a.integer(3, "leeway", 5)) {
            return text;
          }
          String cut =
              Values.string(
                  Values.slice(
                      run.meter, text, 0L, (long) most - Values.length(run.meter, end), null));
          if (!a.flag(1, "killwords", false) && cut.indexOf(' ') >= 0) {
            cut = cut.substring(0, cut.lastIndexOf(' '));
          }
          return cut + end;
        });
  }

  /** As Python's {@code int} reads digits: a prefix may say the base, and does for base 0. */
  private static long parsed(String digits, int base) {
    int sign = digits.startsWith("-") || digits.startsWith("+") ? 1 : 0;
    String rest = digits.substring(sign);
    int told =
        rest.length() < 3 || rest.charAt(0) != '0' || !Character.isLetterOrDigit(rest.charAt(2))
            ? 0
            : switch (rest.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 0;
            };
    if (told != 0 && (base == told || base == 0)) {
      return Long.parseLong(digits.substring(0, sign) + rest.substring(2), told);
    }
    return Long.parseLong(digits, base == 0 ? 10 : base);
  }

  private static void numbers(Map<String, Filter> all) {
    all.put(
        "int",
        (run, value, a) -> {
          Object otherwise = a.allow("int", "default", "base").get(0, "default", 0L);
          if (value instanceof String text) {
            run.meter.touch(text.length());
            try {
              return parsed(digits(text), (int) a.integer(1, "base", 10));
            } catch (NumberFormatException e) {
              return whole(real(text), otherwise);
            }
          }
          return value instanceof Double real
              ? whole(real, otherwise)
              : Values.isNumber(value) ? (Object) Values.integer(value) : otherwise;
        });
    all.put(
        "float",
        (run, value, a) -> {
          Object otherwise = a.allow("float", "default").get(0, "default", 0.0);
          if (value instanceof String text) {
            run.meter.touch(text.length());
            Double real = real(text);
            return real == null ? otherwise : (Object) real;
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
          String method = a.text(1, "method", "common");
          int precision = Values.index(a.get(0, "precision", 0L));
          return switch (method) {
            case "common" -> rounded(value, precision);
            case "ceil" -> rounded(value, precision, RoundingMode.CEILING);
            case "floor" -> rounded(value, precision, RoundingMode.FLOOR);
            default ->
                throw TemplateException.value(
                    "round's method is common, ceil or floor, found " + method);
          };
        });
  }

  /** Beyond that many digits, before or behind the point, there is nothing left of a number. */
  private static final int MOST_DIGITS = 1100;

  /** Python's {@code round}: to even by the exact value, and what was whole stays so. */
  private static Object rounded(Object value, int precision) {
    double real = Values.number(value);
    if (!(value instanceof Double)) {
      BigDecimal whole = new BigDecimal(Values.integer(value));
      int digits = Math.max(-MOST_DIGITS, Math.min(0, precision));
      return whole.setScale(digits, RoundingMode.HALF_EVEN).longValueExact();
    }
    if (Double.isNaN(real) || Double.isInfinite(real) || precision > MOST_DIGITS) {
      return real;
    }
    BigDecimal exact = new BigDecimal(real);
    return Math.copySign(
        exact.setScale(Math.max(-MOST_DIGITS, precision), RoundingMode.HALF_EVEN).doubleValue(),
        real);
  }

  /** Jinja's {@code ceil(value * 10**precision) / 10**precision}, with what that rounds. */
  private static Object rounded(Object value, int precision, RoundingMode mode) {
    if (Math.abs((long) precision) > 308) {
      throw TemplateException.value("10**" + precision + " is no float");
    }
    BigDecimal scale = BigDecimal.TEN.pow(Math.max(0, precision));
    double factor = precision < 0 ? Math.pow(10, precision) : scale.doubleValue();
    double product = Values.number(value) * factor;
    if (Double.isNaN(product) || Double.isInfinite(product)) {
      throw TemplateException.value(Values.real(product) + " cannot be rounded");
    }
    BigDecimal exact =
        precision >= 0 && !(value instanceof Double)
            ? new BigDecimal(Values.integer(value)).multiply(scale)
            : new BigDecimal(product).setScale(0, mode);
    return precision < 0
        ? exact.doubleValue() / factor
        : exact.movePointLeft(precision).doubleValue();
  }

  private static Object whole(@Nullable Double real, Object otherwise) {
    if (real == null || real.isNaN() || real.isInfinite()) {
      return otherwise;
    }
    if (Math.abs(real) >= 0x1p63) {
      throw TemplateException.value("the number " + Values.real(real) + " is too big");
    }
    return (long) (double) real;
  }

  /** Without the underscores that Python lets stand between digits. */
  private static String digits(String text) {
    return text.indexOf('_') < 0
        ? text.strip()
        : text.strip().replaceAll("(?<=[0-9a-zA-Z])_(?=[0-9a-zA-Z])", "");
  }

  /** As Python reads a float, which takes fewer forms than Java does; null where it is none. */
  private static @Nullable Double real(String text) {
    String digits = digits(text);
    if (REAL.matcher(digits).matches()) {
      return Double.valueOf(digits);
    }
    return switch (digits.toLowerCase(Locale.ROOT)) {
      case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
      case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
      case "nan", "+nan", "-nan" -> Double.NaN;
      default -> null;
    };
  }

  private static long words(Meter meter, String text) {
    meter.touch(text.length());
    long words = 0;
    boolean inside = false;
    for (int c : (Iterable<Integer>) text.codePoints()::iterator) {
      int type = Character.getType(c);
      boolean word =
          Character.isLetterOrDigit(c)
              || c == '_'
              || type == Character.LETTER_NUMBER
              || type == Character.OTHER_NUMBER;
      words += word && !inside ? 1 : 0;
      inside = word;
    }
    return words;
  }

  private static void sequences(Map<String, Filter> all) {
    Filter length = (run, value, a) -> (long) Values.length(run.meter, value);
    all.put("length", length);
    all.put("count", length);
    all.put("list", (run, value, a) -> new ArrayList<>(Values.elements(run.meter, value)));
    all.put("first", (run, value, a) -> first(run.meter, value));
    all.put("last", (run, value, a) -> last(run.meter, value));
    all.put("items", (run, value, a) -> new Generated(items(run.meter, value)));
    all.put("join", Filters::join);
    all.put(
        "reverse",
        (run, value, a) -> {
          if (value instanceof String text) {
            return new StringBuilder(text).reverse().toString();
          }
          List<Object> reversed = new ArrayList<>(Values.elements(run.meter, value));
          Collections.reverse(reversed);
          run.meter.makeElements(reversed.size());
          return new Generated(reversed);
        });
    all.put("map", Filters::map);
    all.put("select", (run, value, a) -> choose(run.meter, value, a, Chosen.ELEMENT, true));
    all.put("reject", (run, value, a) -> choose(run.meter, value, a, Chosen.ELEMENT, false));
    all.put("selectattr", (run, value, a) -> choose(run.meter, value, a, Chosen.ATTRIBUTE, true));
    all.put("rejectattr", (run, value, a) -> choose(run.meter, value, a, Chosen.ATTRIBUTE, false));
    all.put(
        "sum",
        (run, value, a) -> {
          a.allow("sum", "attribute", "start");
          Object sum = a.get(1, "start", 0L);
          Object name = a.get(0, "attribute", None.NONE);
          for (Object element : Values.elements(run.meter, value)) {
            sum = Operators.binary(run, "+", sum, path(run.meter, element, name));
          }
          return sum;
        });
    all.put("min", (run, value, a) -> extreme(run.meter, value, a, -1));
    all.put("max", (run, value, a) -> extreme(run.meter, value, a, 1));
    all.put(
        "sort",
        (run, value, a) -> {
          a.allow("sort", "reverse", "case_sensitive", "attribute");
          Object name = a.get(2, "attribute", None.NONE);
          boolean exact = a.flag(1, "case_sensitive", false);
          return sorted(
              run.meter,
              Values.elements(run.meter, value),
              element -> folded(run.meter, path(run.meter, element, name), exact),
              a.flag(0, "reverse", false) ? Order.DOWN : Order.UP);
        });
    all.put(
        "unique",
        (run, value, a) -> {
          a.allow("unique", "case_sensitive", "attribute");
          Object name = a.get(1, "attribute", None.NONE);
          boolean exact = a.flag(0, "case_sensitive", false);
          Map<Object, Object> seen = new LinkedHashMap<>();
          for (Object element : Values.elements(run.meter, value)) {
            Object key = folded(run.meter, path(run.meter, element, name), exact);
            seen.putIfAbsent(Values.key(run.meter, seen, key), element);
          }
          run.meter.makeElements(seen.size());
          return new Generated(new ArrayList<>(seen.values()));
        });
    all.put(
        "dictsort",
        (run, value, a) -> {
          a.allow("dictsort", "case_sensitive", "by", "reverse");
          int by = a.text(1, "by", "key").equals("value") ? 1 : 0;
          boolean exact = a.flag(0, "case_sensitive", false);
          return sorted(
              run.meter,
              items(run.meter, value),
              pair -> folded(run.meter, ((Tuple) pair).get(by), exact),
              a.flag(2, "reverse", false) ? Order.DOWN : Order.UP);
        });
    all.put(
        "batch",
        (run, value, a) -> {
          a.allow("batch", "linecount");
          int size = (int) Math.max(1, Values.integer(a.required(0, "linecount")));
          List<Object> elements = Values.elements(run.meter, value);
          List<Object> batches = new ArrayList<>();
          for (int i = 0; i < elements.size(); i += size) {
            batches.add(new ArrayList<>(elements.subList(i, Math.min(elements.size(), i + size))));
          }
          run.meter.makeElements(elements.size());
          return new Generated(batches);
        });
  }

  private enum Order {
    UP,
    DOWN
  }

  private record Keyed(Object key, Object element) {}

  private static List<Object> sorted(
      Meter meter, List<Object> elements, Function<Object, Object> key, Order wanted) {
    List<Keyed> sorted = new ArrayList<>();
    for (Object element : elements) {
      sorted.add(new Keyed(key.apply(element), element));
    }
    Comparator<Keyed> order = (a, b) -> Values.compare(meter, a.key(), b.key());
    sorted.sort(wanted == Order.DOWN ? order.reversed() : order);
    List<Object> result = new ArrayList<>();
    sorted.forEach(keyed -> result.add(keyed.element()));
    return result;
  }

  private static List<Object> items(Meter meter, Object value) {
    List<Object> pairs = new ArrayList<>();
    if (!(value instanceof Undefined)) {
      meter.makeElements(Values.mapping(value).size());
      Values.mapping(value).forEach((key, inner) -> pairs.add(Tuple.of(key, inner)));
    }
    return pairs;
  }

  private static Object first(Meter meter, Object value) {
    if (value instanceof Generated generated) {
      return generated.next();
    }
    if (value instanceof String text) {
      String found = Values.character(meter, text, 0);
      return found != null ? found : NOTHING;
    }
    List<Object> elements = Values.elements(meter, value);
    return elements.isEmpty() ? NOTHING : elements.get(0);
  }

  private static Object last(Meter meter, Object value) {
    if (value instanceof Generated) {
      throw TemplateException.value("a generator has no last element before it is a list");
    }
    if (value instanceof String text) {
      String found = Values.character(meter, text, -1);
      return found != null ? found : NOTHING;
    }
    List<Object> elements = Values.elements(meter, value);
    return elements.isEmpty() ? NOTHING : elements.get(elements.size() - 1);
  }

  private static Object folded(Meter meter, Object value, boolean exact) {
    return !exact && value instanceof String text
        ? meter.bounded(text.toLowerCase(Locale.ROOT))
        : value;
  }

  /** Follows {@code a.b.0}; None is the element itself. */
  private static Object path(Meter meter, Object element, Object name) {
    meter.step();
    if (name instanceof None) {
      return element;
    }
    if (name instanceof Long) {
      return Evaluation.item(meter, element, name);
    }
    meter.touch(Values.string(name).length());
    Object value = element;
    for (String part : Values.string(name).split("\\.", -1)) {
      meter.step();
      boolean number = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
      value = Evaluation.item(meter, value, number ? index(part) : part);
    }
    return value;
  }

  private static Object index(String digits) {
    try {
      return Long.valueOf(digits);
    } catch (NumberFormatException e) {
      throw TemplateException.value("the number " + digits + " is too big");
    }
  }

  private static Object extreme(Meter meter, Object value, Arguments a, int sign) {
    a.allow("min or max", "case_sensitive", "attribute");
    Object name = a.get(1, "attribute", None.NONE);
    boolean exact = a.flag(0, "case_sensitive", false);
    Object best = new Undefined("there is no least or greatest element of nothing");
    Object bestKey = best;
    for (Object element : Values.elements(meter, value)) {
      Object key = folded(meter, path(meter, element, name), exact);
      if (best instanceof Undefined || sign * Values.compare(meter, key, bestKey) > 0) {
        best = element;
        bestKey = key;
      }
    }
    return best;
  }

  private static Object join(Evaluation run, Object value, Arguments a) {
    a.allow("join", "d", "attribute");
    Object name = a.get(1, "attribute", None.NONE);
    String separator = Values.text(run.meter, a.get(0, "d", ""));
    Text joined = new Text(run.meter);
    boolean first = true;
    for (Object element : Values.elements(run.meter, value)) {
      joined
          .append(first ? "" : separator)
          .append(Values.text(run.meter, path(run.meter, element, name)));
      first = false;
    }
    return joined.made();
  }

  private static Object map(Evaluation run, Object value, Arguments a) {
    List<Object> mapped = new ArrayList<>();
    if (a.positional().isEmpty()) {
      a.allow("map", "attribute", "default");
      Object name = a.required(0, "attribute");
      for (Object element : Values.elements(run.meter, value)) {
        Object found = path(run.meter, element, name);
        mapped.add(found instanceof Undefined ? a.get(1, "default", found) : found);
      }
      run.meter.makeElements(mapped.size());
      return new Generated(mapped);
    }
    String filter = Values.string(a.positional().get(0));
    Arguments rest = new Arguments(a.positional().subList(1, a.positional().size()), a.named());
    for (Object element : Values.elements(run.meter, value)) {
      mapped.add(apply(run, filter, element, rest));
    }
    run.meter.makeElements(mapped.size());
    return new Generated(mapped);
  }

  private enum Chosen {
    ELEMENT,
    ATTRIBUTE
  }

  private static Object choose(
      Meter meter, Object value, Arguments a, Chosen chosen, boolean wanted) {
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
      test = element -> Tests.holds(meter, testName, element, rest);
    }
    List<Object> kept = new ArrayList<>();
    for (Object element : Values.elements(meter, value)) {
      meter.step();
      if (test.test(path(meter, element, name)) == wanted) {
        kept.add(element);
      }
    }
    meter.makeElements(kept.size());
    return new Generated(kept);
  }

  private static String[] given(Arguments arguments) {
    String[] names = new String[arguments.positional().size()];
    java.util.Arrays.setAll(names, i -> "argument " + i);
    return names;
  }

  /** How far a line is indented; refused beyond what anybody reads. */
  static int width(String filter, long asked) {
    if (asked > WIDEST) {
      throw TemplateException.limit(filter + " by " + asked + " is more than " + WIDEST);
    }
    return (int) Math.max(0, asked);
  }

  private static Object indent(Evaluation run, Object value, Arguments a) {
    a.allow("indent", "width", "first", "blank");
    Object width = a.get(0, "width", 4L);
    String margin =
        width instanceof String text ? text : " ".repeat(width("indent", Values.integer(width)));
    boolean blank = a.flag(2, "blank", false);
    Text out = new Text(run.meter);
    String text = Values.text(run.meter, value);
    boolean margined = a.flag(1, "first", false);
    for (int from = 0; ; ) {
      run.meter.step();
      int end = text.indexOf('\n', from);
      boolean last = end < 0;
      out.append(margined ? margin : "").append(text, from, last ? text.length() : end + 1);
      if (last) {
        return out.made();
      }
      from = end + 1;
      margined = blank || !(text.startsWith("\n", from) || from == text.length());
    }
  }
}
