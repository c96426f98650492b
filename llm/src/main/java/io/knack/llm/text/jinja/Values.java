package io.knack.llm.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's semantics of values: truth, text, equality, order, iteration. */
final class Values {
  /** Beyond the end of everything. */
  private static final long FAR = 1L << 32;

  /** What the shortest digits of a real number cost. */
  static final int REAL_STEPS = 64;

  private Values() {}

  /** From Java's plain data; anything else is refused, so that no Java object gets in. */
  static Object of(@Nullable Object value) {
    if (value == null) {
      return None.NONE;
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((key, inner) -> copy.put(of(key), of(inner)));
      return copy;
    }
    if (value instanceof Iterable<?> list) {
      List<Object> copy = new ArrayList<>();
      list.forEach(inner -> copy.add(of(inner)));
      return copy;
    }
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    if (value instanceof Float real) {
      return real.doubleValue();
    }
    if (value instanceof BigInteger whole) {
      return whole.bitLength() < 64 ? (Object) whole.longValue() : (Object) whole.doubleValue();
    }
    if (value instanceof BigDecimal real) {
      return real.doubleValue();
    }
    if (value instanceof Boolean
        || value instanceof Long
        || value instanceof Double
        || value instanceof String
        || value instanceof None) {
      return value;
    }
    throw TemplateException.value("a " + value.getClass().getName() + " is no template value");
  }

  static String typeName(Object value) {
    if (value instanceof None) {
      return "None";
    } else if (value instanceof Boolean) {
      return "a boolean";
    } else if (value instanceof Long) {
      return "an integer";
    } else if (value instanceof Double) {
      return "a float";
    } else if (value instanceof String) {
      return "a string";
    } else if (value instanceof List) {
      return "a list";
    } else if (value instanceof Map) {
      return "a mapping";
    } else if (value instanceof Undefined) {
      return "undefined";
    } else if (value instanceof Namespace) {
      return "a namespace";
    } else if (value instanceof Generated) {
      return "a generator";
    }
    return "a function";
  }

  static boolean truth(Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    } else if (value instanceof String text) {
      return !text.isEmpty();
    } else if (value instanceof Long number) {
      return number != 0;
    } else if (value instanceof Double number) {
      return number != 0;
    } else if (value instanceof List<?> list) {
      return !list.isEmpty();
    } else if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return !(value instanceof None || value instanceof Undefined);
  }

  /** Python's {@code str()}. */
  static String text(Meter meter, Object value) {
    if (value instanceof String text) {
      return text;
    }
    return value instanceof Undefined ? "" : repr(meter, value);
  }

  /** Python's {@code repr()}. */
  static String repr(Meter meter, Object value) {
    Text out = new Text(meter);
    repr(meter, value, out);
    return out.made();
  }

  private static void repr(Meter meter, Object value, Text out) {
    meter.step();
    if (value instanceof String text) {
      quoted(meter, text, out);
    } else if (value instanceof Boolean flag) {
      out.append(flag ? "True" : "False");
    } else if (value instanceof None) {
      out.append("None");
    } else if (value instanceof Long number) {
      out.append(number.toString());
    } else if (value instanceof Double number) {
      meter.work(REAL_STEPS);
      out.append(real(number));
    } else if (value instanceof List<?> list) {
      boolean tuple = value instanceof Tuple;
      out.append(tuple ? '(' : '[');
      for (int i = 0; i < list.size(); i++) {
        out.append(i == 0 ? "" : ", ");
        repr(meter, list.get(i), out);
      }
      out.append(tuple ? (list.size() == 1 ? ",)" : ")") : "]");
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      boolean first = true;
      for (Map.Entry<Object, Object> entry : mapping(map).entrySet()) {
        out.append(first ? "" : ", ");
        first = false;
        repr(meter, entry.getKey(), out);
        out.append(": ");
        repr(meter, entry.getValue(), out);
      }
      out.append('}');
    } else if (value instanceof Undefined) {
      out.append("Undefined");
    } else {
      throw TemplateException.value(typeName(value) + " cannot be printed");
    }
  }

  private static void quoted(Meter meter, String text, Text out) {
    meter.touch(text.length());
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
      int c = text.codePointAt(i);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\\' -> out.append("\\\\");
        default -> {
          if (c == quote) {
            out.append('\\').append(quote);
          } else if (isPrintable(c)) {
            out.appendCodePoint(c);
          } else {
            escaped(c, out);
          }
        }
      }
    }
    out.append(quote);
  }

  /** What has no assigned meaning yet counts as printable: it may have one in a later Unicode. */
  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  private static void escaped(int c, Text out) {
    int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
    out.append(digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U");
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
      out.append(Character.forDigit((c >> shift) & 15, 16));
    }
  }

  /** The shortest digits that read back as the same double, in Python's layout. */
  static String real(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal exact = new BigDecimal(value);
    BigDecimal shortest = exact;
    for (int digits = 1; digits <= 17; digits++) {
      shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
      if (shortest.doubleValue() == value) {
        break;
      }
    }
    shortest = shortest.stripTrailingZeros();
    int exponent = shortest.precision() - shortest.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = shortest.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String digits = shortest.unscaledValue().abs().toString();
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    return (value < 0 ? "-" : "")
        + mantissa
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static double number(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    if (value instanceof Long || value instanceof Double) {
      return ((Number) value).doubleValue();
    }
    throw expected("a number", value);
  }

  static long integer(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? 1 : 0;
    }
    if (value instanceof Long number) {
      return number;
    }
    throw expected("an integer", value);
  }

  static int index(Object value) {
    return (int) Math.max(Integer.MIN_VALUE + 1, Math.min(Integer.MAX_VALUE, integer(value)));
  }

  static String string(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw expected("a string", value);
  }

  static TemplateException expected(String what, Object found) {
    return found instanceof Undefined missing
        ? missing.used()
        : TemplateException.value("expected " + what + ", found " + typeName(found));
  }

  static boolean equal(Meter meter, Object left, Object right) {
    meter.step();
    if (isNumber(left) && isNumber(right)) {
      return order(left, right) == 0 && !isNan(left);
    }
    if (left instanceof String a && right instanceof String b) {
      if (a.length() == b.length()) {
        meter.touch(a.length());
      }
      return a.equals(b);
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      boolean sameKind = (left instanceof Tuple) == (right instanceof Tuple);
      if (a.size() != b.size() || !sameKind) {
        return false;
      }
      for (int i = 0; i < a.size(); i++) {
        if (!equal(meter, a.get(i), b.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Map<?, ?> && right instanceof Map<?, ?>) {
      Map<Object, Object> a = mapping(left);
      Map<Object, Object> b = mapping(right);
      if (a.size() != b.size()) {
        return false;
      }
      for (Map.Entry<Object, Object> entry : a.entrySet()) {
        Object other = b.get(key(meter, b, entry.getKey()));
        if (other == null || !equal(meter, entry.getValue(), other)) {
          return false;
        }
      }
      return true;
    }
    return left.equals(right);
  }

  private static boolean isNan(Object number) {
    return number instanceof Double real && real.isNaN();
  }

  /** Of numbers by their exact values, with NaN behind all others. */
  private static int order(Object left, Object right) {
    if (!(left instanceof Double) && !(right instanceof Double)) {
      return Long.compare(integer(left), integer(right));
    }
    double a = number(left);
    double b = number(right);
    if (a != b || Double.isNaN(a) || Double.isInfinite(a)) {
      return a < b ? -1 : a > b ? 1 : a == b ? 0 : Double.compare(a, b);
    }
    return left instanceof Double && right instanceof Double
        ? 0
        : exact(left).compareTo(exact(right));
  }

  private static BigDecimal exact(Object number) {
    return number instanceof Double real ? new BigDecimal(real) : new BigDecimal(integer(number));
  }

  static int compare(Meter meter, Object left, Object right) {
    meter.step();
    if (left instanceof Undefined missing) {
      throw missing.used();
    }
    if (right instanceof Undefined missing) {
      throw missing.used();
    }
    if (isNumber(left) && isNumber(right)) {
      return order(left, right);
    }
    if (left instanceof String a && right instanceof String b) {
      return compare(meter, a, b);
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
        if (!equal(meter, a.get(i), b.get(i))) {
          return compare(meter, (Object) a.get(i), b.get(i));
        }
      }
      return Integer.compare(a.size(), b.size());
    }
    throw TemplateException.value(typeName(left) + " and " + typeName(right) + " have no order");
  }

  /** By code points, which is not Java's order where there are surrogates. */
  private static int compare(Meter meter, String a, String b) {
    int both = Math.min(a.length(), b.length());
    int same = 0;
    while (same < both && a.charAt(same) == b.charAt(same)) {
      same++;
    }
    meter.touch(same);
    if (same == both) {
      return Integer.compare(a.length(), b.length());
    }
    char x = a.charAt(same);
    char y = b.charAt(same);
    boolean astral = Character.isSurrogate(x);
    return astral == Character.isSurrogate(y) ? Character.compare(x, y) : astral ? 1 : -1;
  }

  /**
   * What to look a key up by: the equal one that the mapping has, as 1, 1.0 and true are the same.
   * Walks the key first, so that hashing it is paid for.
   */
  static Object key(Meter meter, Map<Object, Object> map, Object key) {
    hashable(meter, key);
    if (!isNumber(key) || map.containsKey(key)) {
      return key;
    }
    double real = number(key);
    List<Object> same = new ArrayList<>(List.of(real, real == 0 ? -real : real));
    if (real == Math.rint(real) && Math.abs(real) < 0x1p63) {
      same.add(key instanceof Double ? (long) real : integer(key));
    }
    if (real == 0 || real == 1) {
      same.add(real == 1);
    }
    for (Object other : same) {
      if (order(other, key) == 0 && map.containsKey(other)) {
        return other;
      }
    }
    return key;
  }

  private static void hashable(Meter meter, Object key) {
    meter.step();
    if (key instanceof String text) {
      meter.touch(text.length());
    } else if (key instanceof Tuple tuple) {
      for (Object element : tuple) {
        hashable(meter, element);
      }
    } else if (key instanceof List || key instanceof Map) {
      throw TemplateException.value(typeName(key) + " cannot be a mapping's key");
    }
  }

  /** Puts it in as Python does: an equal key stays what it was. */
  static void put(Meter meter, Map<Object, Object> map, Object key, Object value) {
    map.put(key(meter, map, key), value);
  }

  static boolean contains(Meter meter, Object container, Object element) {
    if (container instanceof String text) {
      return Search.first(meter, text, string(element), 0) >= 0;
    }
    if (container instanceof Map<?, ?>) {
      Map<Object, Object> map = mapping(container);
      return map.containsKey(key(meter, map, element));
    }
    for (Object other : elements(meter, container)) {
      if (equal(meter, other, element)) {
        return true;
      }
    }
    return false;
  }

  static boolean isIterable(Object value) {
    return value instanceof List
        || value instanceof Map
        || value instanceof String
        || value instanceof Generated
        || value instanceof Undefined;
  }

  /** What a loop walks over: a mapping's keys, a string's characters. */
  static List<Object> elements(Meter meter, Object value) {
    if (value instanceof List<?> list) {
      return list(list);
    }
    if (value instanceof Map<?, ?> map) {
      meter.makeElements(map.size());
      return new ArrayList<>(mapping(map).keySet());
    }
    if (value instanceof String text) {
      meter.makeElements(text.codePointCount(0, text.length()));
      List<Object> characters = new ArrayList<>(text.length());
      text.codePoints().forEach(c -> characters.add(Character.toString(c)));
      return characters;
    }
    if (value instanceof Generated generated) {
      List<Object> rest = generated.rest();
      meter.makeElements(rest.size());
      return rest;
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    throw TemplateException.value(typeName(value) + " is not iterable");
  }

  @SuppressWarnings("unchecked")
  static List<Object> list(List<?> list) {
    return (List<Object>) list;
  }

  @SuppressWarnings("unchecked")
  static Map<Object, Object> mapping(Object value) {
    if (value instanceof Map<?, ?> map) {
      return (Map<Object, Object>) map;
    }
    throw expected("a mapping", value);
  }

  static int length(Meter meter, Object value) {
    if (value instanceof String text) {
      meter.touch(text.length());
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof List<?> list) {
      return list.size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    throw TemplateException.value(typeName(value) + " has no length");
  }

  /** Python's {@code value[start:stop:step]}; null stands for a bound that is left out. */
  static Object slice(
      Meter meter, Object value, @Nullable Long from, @Nullable Long to, @Nullable Long by) {
    if (value instanceof Map || value instanceof Generated) {
      throw TemplateException.value(typeName(value) + " cannot be sliced");
    }
    long size = length(meter, value);
    long step = by == null ? 1 : Math.max(-FAR, Math.min(FAR, by));
    if (step == 0) {
      throw TemplateException.value("a slice's step must not be zero");
    }
    long low = step > 0 ? 0 : -1;
    long high = step > 0 ? size : size - 1;
    long start = from == null ? (step > 0 ? low : high) : clamp(from, size, low, high);
    long stop = to == null ? (step > 0 ? high : low) : clamp(to, size, low, high);
    if (value instanceof String text) {
      if (step == 1) {
        int begin = text.offsetByCodePoints(0, (int) start);
        return start >= stop
            ? ""
            : text.substring(begin, text.offsetByCodePoints(begin, (int) (stop - start)));
      }
      int[] all = text.codePoints().toArray();
      Text chosen = new Text(meter);
      for (long i = start; step > 0 ? i < stop : i > stop; i = i + step) {
        chosen.appendCodePoint(all[(int) i]);
      }
      return chosen.made();
    }
    List<Object> all = elements(meter, value);
    List<Object> chosen = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i = i + step) {
      chosen.add(all.get((int) i));
    }
    return value instanceof Tuple ? new Tuple(chosen) : chosen;
  }

  /** {@code text[at]}, from the end where it is negative; null outside of the text. */
  static @Nullable String character(Meter meter, String text, long at) {
    long size = length(meter, text);
    long place = at < 0 ? at + size : at;
    if (place < 0 || place >= size) {
      return null;
    }
    return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) place)));
  }

  private static long clamp(long bound, long size, long low, long high) {
    return Math.max(low, Math.min(high, bound < 0 ? Math.max(bound + size, -1) : bound));
  }
}
