package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** Arithmetic, comparison and {@code %} formatting, as Python does them. */
final class Operators {
  private Operators() {}

  static boolean compare(Meter meter, String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Values.equal(meter, left, right);
      case "!=" -> !Values.equal(meter, left, right);
      case "<" -> Values.compare(meter, left, right) < 0;
      case "<=" -> Values.compare(meter, left, right) <= 0;
      case ">" -> Values.compare(meter, left, right) > 0;
      case ">=" -> Values.compare(meter, left, right) >= 0;
      case "in" -> Values.contains(meter, right, left);
      case "not in" -> !Values.contains(meter, right, left);
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
      return format(run.meter, format, right);
    }
    if (Values.isNumber(left) && Values.isNumber(right)) {
      return left instanceof Double || right instanceof Double || operator.equals("/")
          ? real(operator, Values.number(left), Values.number(right))
          : whole(operator, Values.integer(left), Values.integer(right));
    }
    if (operator.equals("+")) {
      if (left instanceof String a && right instanceof String b) {
        run.meter.makeText((long) a.length() + b.length());
        return a + b;
      }
      boolean sameKind = (left instanceof Tuple) == (right instanceof Tuple);
      if (left instanceof List<?> a && right instanceof List<?> b && sameKind) {
        run.meter.makeElements((long) a.size() + b.size());
        List<Object> both = new ArrayList<>(Values.list(a));
        both.addAll(Values.list(b));
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
      run.meter.makeText(Math.multiplyExact(count, (long) text.length()));
      return text.isEmpty() ? "" : text.repeat((int) count);
    }
    if (value instanceof List<?> list) {
      run.meter.makeElements(Math.multiplyExact(count, (long) list.size()));
      List<Object> all = new ArrayList<>();
      for (long i = 0; i < count && !list.isEmpty(); i++) {
        all.addAll(Values.list(list));
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

  /** Exact, with the sign of the divisor. */
  private static double modulo(double a, double b) {
    double rest = a % b;
    return rest == 0 ? Math.copySign(0.0, b) : (rest < 0) == (b < 0) ? rest : rest + b;
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
      case "%" -> modulo(a, b);
      case "**" -> Math.pow(a, b);
      default -> throw new IllegalStateException(operator);
    };
  }

  /**
   * {@code "%s and %d" % values}: the conversions s, r, d, i, f and %, with width and precision.
   */
  static String format(Meter meter, String format, Object values) {
    List<Object> given = values instanceof Tuple tuple ? tuple : List.of(values);
    Text out = new Text(meter);
    int next = 0;
    int from = 0;
    for (int at = format.indexOf('%'); at >= 0; at = format.indexOf('%', from)) {
      meter.step();
      out.append(format, from, at);
      Conversion conversion = Conversion.parse(meter, format, at + 1);
      from = conversion.end();
      if (conversion.kind() == '%') {
        out.append('%');
        continue;
      }
      if (next >= given.size()) {
        throw TemplateException.value("the format wants more than " + next + " values");
      }
      conversion.write(meter, given.get(next++), out);
    }
    if (next < given.size()) {
      throw TemplateException.value("the format wants " + next + " values, found " + given.size());
    }
    return out.append(format, from, format.length()).made();
  }
}
