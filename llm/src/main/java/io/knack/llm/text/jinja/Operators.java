package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Arithmetic, comparison and {@code %} formatting, as Python does them. */
final class Operators {
  private Operators() {}

  static boolean compare(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Values.equal(left, right);
      case "!=" -> !Values.equal(left, right);
      case "<" -> Values.compare(left, right) < 0;
      case "<=" -> Values.compare(left, right) <= 0;
      case ">" -> Values.compare(left, right) > 0;
      case ">=" -> Values.compare(left, right) >= 0;
      case "in" -> Values.contains(right, left);
      case "not in" -> !Values.contains(right, left);
      default -> throw new IllegalStateException(operator);
    };
  }

  static Object unary(String operator, Object value) {
    boolean negative = operator.equals("-");
    if (value instanceof Double number) {
      return negative ? -number : number;
    }
    long number = Values.integer(value);
    return negative ? Math.negateExact(number) : number;
  }

  static Object binary(Evaluation run, String operator, Object left, Object right) {
    if (left instanceof Undefined missing) {
      throw missing.used();
    }
    if (right instanceof Undefined missing) {
      throw missing.used();
    }
    if (operator.equals("%") && left instanceof String format) {
      return run.meter.bounded(format(format, right));
    }
    if (Values.isNumber(left) && Values.isNumber(right)) {
      return left instanceof Double || right instanceof Double || operator.equals("/")
          ? real(operator, Values.number(left), Values.number(right))
          : whole(operator, Values.integer(left), Values.integer(right));
    }
    if (operator.equals("+")) {
      if (left instanceof String a && right instanceof String b) {
        run.meter.checkLength((long) a.length() + b.length());
        return a + b;
      }
      if (left instanceof List<?> a && right instanceof List<?> b) {
        run.meter.checkElements((long) a.size() + b.size());
        List<Object> both = new ArrayList<>(Values.elements(a));
        both.addAll(Values.elements(b));
        return left instanceof Tuple ? new Tuple(both) : both;
      }
    }
    if (operator.equals("*")) {
      if (right instanceof Long times) {
        return repeat(run, left, times);
      }
      if (left instanceof Long times) {
        return repeat(run, right, times);
      }
    }
    throw TemplateException.value(
        "'"
            + operator
            + "' does not fit "
            + Values.typeName(left)
            + " and "
            + Values.typeName(right));
  }

  private static Object repeat(Evaluation run, Object value, long times) {
    long count = Math.max(0, times);
    if (value instanceof String text) {
      run.meter.checkLength(Math.multiplyExact(count, (long) text.length()));
      return text.isEmpty() ? "" : text.repeat((int) count);
    }
    if (value instanceof List<?> list) {
      run.meter.checkElements(Math.multiplyExact(count, (long) list.size()));
      List<Object> all = new ArrayList<>();
      for (long i = 0; i < count && !list.isEmpty(); i++) {
        all.addAll(Values.elements(list));
      }
      return all;
    }
    throw TemplateException.value("'*' does not fit " + Values.typeName(value));
  }

  private static Object whole(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      case "**" -> power(a, b);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static Object power(long a, long b) {
    if (b < 0) {
      return Math.pow((double) a, (double) b);
    }
    if (a == 0 || a == 1 || a == -1) {
      return b == 0 ? 1L : a == -1 ? (b % 2 == 0 ? 1L : -1L) : a;
    }
    long result = 1;
    for (long i = 0; i < b; i++) {
      result = Math.multiplyExact(result, a);
    }
    return result;
  }

  private static Object real(String operator, double a, double b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw TemplateException.value("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      case "**" -> Math.pow(a, b);
      default -> throw new IllegalStateException(operator);
    };
  }

  /** {@code "%s and %d" % values}: the conversions s, r, d, f and %, with width and precision. */
  static String format(String format, Object values) {
    List<Object> given = values instanceof Tuple ? Values.elements(values) : List.of(values);
    StringBuilder out = new StringBuilder();
    int next = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      int start = i + 1;
      int stop = start;
      while (stop < format.length() && "0123456789.-+ ".indexOf(format.charAt(stop)) >= 0) {
        stop++;
      }
      if (stop >= format.length()) {
        throw TemplateException.value("the format '" + format + "' ends in a bare %");
      }
      char conversion = format.charAt(stop);
      if (conversion == '%') {
        out.append('%');
        i = stop;
        continue;
      }
      if (next >= given.size()) {
        throw TemplateException.value("the format '" + format + "' wants more values");
      }
      String options = format.substring(start, stop);
      if (options.length() > 8) {
        throw TemplateException.value("the format '%" + options + conversion + "' is too wide");
      }
      Object value = given.get(next++);
      Object argument =
          switch (conversion) {
            case 's' -> Values.text(value);
            case 'r' -> Values.repr(value);
            case 'd' -> (long) Values.number(value);
            case 'f' -> Values.number(value);
            default ->
                throw new TemplateException(
                    TemplateException.Kind.UNSUPPORTED, "unknown conversion %" + conversion);
          };
      try {
        out.append(
            String.format(
                Locale.ROOT, "%" + options + (conversion == 'r' ? 's' : conversion), argument));
      } catch (java.util.IllegalFormatException e) {
        throw TemplateException.value("the format '%" + options + conversion + "' does not fit");
      }
      i = stop;
    }
    if (next < given.size()) {
      throw TemplateException.value("the format '" + format + "' wants fewer values");
    }
    return out.toString();
  }
}
