package io.knack.llm.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Python's semantics of values: truth, text, equality, order, iteration. */
final class Values {
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
  static String text(Object value) {
    if (value instanceof String text) {
      return text;
    }
    return value instanceof Undefined ? "" : repr(value);
  }

  /** Python's {@code repr()}. */
  static String repr(Object value) {
    if (value instanceof String text) {
      return quoted(text);
    } else if (value instanceof Boolean flag) {
      return flag ? "True" : "False";
    } else if (value instanceof None) {
      return "None";
    } else if (value instanceof Long number) {
      return number.toString();
    } else if (value instanceof Double number) {
      return real(number);
    } else if (value instanceof Tuple tuple) {
      String inner = tuple.stream().map(Values::repr).collect(Collectors.joining(", "));
      return tuple.size() == 1 ? "(" + inner + ",)" : "(" + inner + ")";
    } else if (value instanceof List<?> list) {
      return list.stream()
          .map(element -> repr(Objects.requireNonNull(element)))
          .collect(Collectors.joining(", ", "[", "]"));
    } else if (value instanceof Map<?, ?> map) {
      return map.entrySet().stream()
          .map(e -> repr(Objects.requireNonNull(e.getKey())) + ": " + repr(e.getValue()))
          .collect(Collectors.joining(", ", "{", "}"));
    } else if (value instanceof Undefined) {
      return "Undefined";
    }
    throw TemplateException.value(typeName(value) + " cannot be printed");
  }

  private static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == quote) {
                    out.append('\\').append(quote);
                  } else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
                    out.append(String.format("\\x%02x", c));
                  } else {
                    out.appendCodePoint(c);
                  }
                }
              }
            });
    return out.append(quote).toString();
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

  static boolean equal(Object left, Object right) {
    if (isNumber(left) && isNumber(right)) {
      boolean real = left instanceof Double || right instanceof Double;
      return real ? number(left) == number(right) : integer(left) == integer(right);
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      boolean sameKind = (left instanceof Tuple) == (right instanceof Tuple);
      if (a.size() != b.size() || !sameKind) {
        return false;
      }
      for (int i = 0; i < a.size(); i++) {
        if (!equal(a.get(i), b.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
      return a.size() == b.size()
          && a.entrySet().stream()
              .allMatch(
                  e -> {
                    Object other = b.get(e.getKey());
                    return other != null && equal(e.getValue(), other);
                  });
    }
    if (left instanceof Undefined && right instanceof Undefined) {
      return true;
    }
    return left.equals(right);
  }

  static int compare(Object left, Object right) {
    if (left instanceof Undefined missing) {
      throw missing.used();
    }
    if (right instanceof Undefined missing) {
      throw missing.used();
    }
    if (isNumber(left) && isNumber(right)) {
      return left instanceof Double || right instanceof Double
          ? Double.compare(number(left), number(right))
          : Long.compare(integer(left), integer(right));
    }
    if (left instanceof String a && right instanceof String b) {
      int[] x = a.codePoints().toArray();
      int[] y = b.codePoints().toArray();
      return java.util.Arrays.compare(x, y);
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
        if (!equal(a.get(i), b.get(i))) {
          return compare(a.get(i), b.get(i));
        }
      }
      return Integer.compare(a.size(), b.size());
    }
    throw TemplateException.value(typeName(left) + " and " + typeName(right) + " have no order");
  }

  static boolean contains(Object container, Object element) {
    if (container instanceof String text) {
      return text.contains(string(element));
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(element);
    }
    return elements(container).stream().anyMatch(other -> equal(other, element));
  }

  static boolean isIterable(Object value) {
    return value instanceof List
        || value instanceof Map
        || value instanceof String
        || value instanceof Undefined;
  }

  /** What a loop walks over: a mapping's keys, a string's characters. */
  @SuppressWarnings("unchecked")
  static List<Object> elements(Object value) {
    if (value instanceof List<?> list) {
      return (List<Object>) list;
    }
    if (value instanceof Map<?, ?> map) {
      return new ArrayList<>(((Map<Object, Object>) map).keySet());
    }
    if (value instanceof String text) {
      List<Object> characters = new ArrayList<>(text.length());
      text.codePoints().forEach(c -> characters.add(Character.toString(c)));
      return characters;
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    throw TemplateException.value(typeName(value) + " is not iterable");
  }

  @SuppressWarnings("unchecked")
  static Map<Object, Object> mapping(Object value) {
    if (value instanceof Map<?, ?> map) {
      return (Map<Object, Object>) map;
    }
    throw expected("a mapping", value);
  }

  static int length(Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof List || value instanceof Undefined) {
      return elements(value).size();
    }
    throw TemplateException.value(typeName(value) + " has no length");
  }

  /** Python's {@code value[start:stop:step]}; null stands for a bound that is left out. */
  static Object slice(Object value, @Nullable Long from, @Nullable Long to, @Nullable Long by) {
    if (value instanceof Map) {
      throw TemplateException.value("a mapping cannot be sliced");
    }
    List<Object> all = elements(value);
    long size = all.size();
    long step = by == null ? 1 : by;
    if (step == 0) {
      throw TemplateException.value("a slice's step must not be zero");
    }
    long low = step > 0 ? 0 : -1;
    long high = step > 0 ? size : size - 1;
    long start = from == null ? (step > 0 ? low : high) : clamp(from, size, low, high);
    long stop = to == null ? (step > 0 ? high : low) : clamp(to, size, low, high);
    List<Object> chosen = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      chosen.add(all.get((int) i));
    }
    if (value instanceof String) {
      return chosen.stream().map(String.class::cast).collect(Collectors.joining());
    }
    return value instanceof Tuple ? new Tuple(chosen) : chosen;
  }

  private static long clamp(long bound, long size, long low, long high) {
    return Math.max(low, Math.min(high, bound < 0 ? Math.max(bound + size, -1) : bound));
  }
}
