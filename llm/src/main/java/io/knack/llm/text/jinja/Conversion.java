package io.knack.llm.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/**
 * One conversion of Python's {@code %} formatting.
 *
 * @param precision -1 where there is none
 * @param end where the format goes on behind it
 */
record Conversion(String flags, int width, int precision, char kind, int end) {
  /** No double has more decimals. */
  private static final int MOST_DECIMALS = 1074;

  /** What stands behind the % sign. */
  static Conversion parse(Meter meter, String format, int start) {
    int flags = end(format, start, "-+ 0");
    int width = end(format, flags, "0123456789");
    boolean precise = width < format.length() && format.charAt(width) == '.';
    int stop = precise ? end(format, width + 1, "0123456789") : width;
    meter.touch(stop - start);
    if (stop >= format.length()) {
      throw TemplateException.value("the format ends in a bare %");
    }
    return new Conversion(
        format.substring(start, flags),
        number(meter, format.substring(flags, width)),
        precise ? number(meter, format.substring(width + 1, stop)) : -1,
        format.charAt(stop),
        stop + 1);
  }

  private static int end(String format, int start, String characters) {
    int end = start;
    while (end < format.length() && characters.indexOf(format.charAt(end)) >= 0) {
      end++;
    }
    return end;
  }

  private static int number(Meter meter, String digits) {
    long number =
        digits.isEmpty() ? 0 : digits.length() > 9 ? Long.MAX_VALUE : Long.parseLong(digits);
    meter.checkLength(number);
    return (int) number;
  }

  void write(Meter meter, Object value, Text out) {
    switch (kind) {
      case 's', 'r' -> {
        String text = kind == 's' ? Values.text(meter, value) : Values.repr(meter, value);
        boolean cut = precision >= 0 && precision < Values.length(meter, text);
        pad(meter, "", cut ? text.substring(0, text.offsetByCodePoints(0, precision)) : text, out);
      }
      case 'd', 'i', 'u' -> {
        BigInteger whole =
            value instanceof Double real
                ? finite(real).toBigInteger()
                : BigInteger.valueOf(Values.integer(value));
        String digits = whole.abs().toString();
        int zeros = Math.max(0, precision - digits.length());
        pad(meter, sign(whole.signum() < 0), "0".repeat(zeros) + digits, out);
      }
      case 'f', 'F' -> {
        double real = Values.number(value);
        boolean negative = real < 0 || (real == 0 && 1 / real < 0);
        pad(meter, sign(negative), decimals(Math.abs(real)), out);
      }
      default ->
          throw new TemplateException(
              TemplateException.Kind.UNSUPPORTED, "unknown conversion %" + kind);
    }
  }

  private static BigDecimal finite(double real) {
    if (Double.isNaN(real) || Double.isInfinite(real)) {
      throw TemplateException.value(Values.real(real) + " is no whole number");
    }
    return new BigDecimal(real);
  }

  /** Rounded half to even by the exact value, as C does. */
  private String decimals(double real) {
    if (Double.isNaN(real) || Double.isInfinite(real)) {
      return Values.real(real);
    }
    int places = precision < 0 ? 6 : precision;
    int known = Math.min(places, MOST_DECIMALS);
    String text = new BigDecimal(real).setScale(known, RoundingMode.HALF_EVEN).toPlainString();
    return text + "0".repeat(places - known);
  }

  private String sign(boolean negative) {
    return negative ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
  }

  private void pad(Meter meter, String sign, String body, Text out) {
    meter.touch(width + (long) body.length());
    int missing = Math.max(0, width - sign.length() - Values.length(meter, body));
    if (flags.contains("-")) {
      out.append(sign).append(body).repeat(" ", missing);
    } else if (flags.contains("0") && kind != 's' && kind != 'r') {
      out.append(sign).repeat("0", missing).append(body);
    } else {
      out.repeat(" ", missing).append(sign).append(body);
    }
  }
}
