package io.knack.practice.verify;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number with what stands around it.
 *
 * @param unit in lower case, without plural; empty when there is none
 */
record Quantity(BigDecimal number, String unit) {
  private static final int MAX_LENGTH = 4096;
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<![\\w.])([-+\u2212]?)\\s?([$\u20ac\u00a3\u00a5]?)\\s?([-+\u2212]?)(\\d{1,3}(?:[,\u00a0\u202f"
              + " ]\\d{3})+(?:\\.\\d+)?|\\d{1,60}(?:\\.\\d{1,60})?|\\.\\d{1,60})"
              + "(?:[eE]([-+]?\\d{1,3}))?(?:\\s?/\\s?(\\d{1,18})(?![\\d.]))?\\s?"
              + "([%\u20ac$\u00a3\u00a5\u00b0]|[\\p{L}\u00b5]+[\u00b2\u00b3]?(?:/[\\p{L}]+)?)?");

  /** Unit, the unit it is counted in, and how many of those. */
  private static final Map<String, Map.Entry<String, BigDecimal>> KNOWN =
      Map.ofEntries(
          unit("mm", "m", "0.001"),
          unit("cm", "m", "0.01"),
          unit("m", "m", "1"),
          unit("meter", "m", "1"),
          unit("metre", "m", "1"),
          unit("km", "m", "1000"),
          unit("inch", "m", "0.0254"),
          unit("in", "m", "0.0254"),
          unit("ft", "m", "0.3048"),
          unit("foot", "m", "0.3048"),
          unit("feet", "m", "0.3048"),
          unit("yard", "m", "0.9144"),
          unit("mile", "m", "1609.344"),
          unit("mg", "g", "0.001"),
          unit("g", "g", "1"),
          unit("gram", "g", "1"),
          unit("kg", "g", "1000"),
          unit("kilogram", "g", "1000"),
          unit("t", "g", "1000000"),
          unit("oz", "g", "28.349523125"),
          unit("ounce", "g", "28.349523125"),
          unit("lb", "g", "453.59237"),
          unit("pound", "g", "453.59237"),
          unit("ms", "s", "0.001"),
          unit("s", "s", "1"),
          unit("second", "s", "1"),
          unit("min", "s", "60"),
          unit("minute", "s", "60"),
          unit("h", "s", "3600"),
          unit("hour", "s", "3600"),
          unit("day", "s", "86400"),
          unit("week", "s", "604800"),
          unit("ml", "l", "0.001"),
          unit("cl", "l", "0.01"),
          unit("l", "l", "1"),
          unit("liter", "l", "1"),
          unit("litre", "l", "1"),
          unit("$", "$", "1"),
          unit("usd", "$", "1"),
          unit("dollar", "$", "1"),
          unit("cent", "$", "0.01"),
          unit("\u20ac", "\u20ac", "1"),
          unit("eur", "\u20ac", "1"),
          unit("euro", "\u20ac", "1"));

  private static Map.Entry<String, Map.Entry<String, BigDecimal>> unit(
      String name, String base, String factor) {
    return Map.entry(name, Map.entry(base, new BigDecimal(factor)));
  }

  /** The last number in a text: where a conclusion stands. */
  static Optional<Quantity> last(String text) {
    String tail = text.length() <= MAX_LENGTH ? text : text.substring(text.length() - MAX_LENGTH);
    Matcher matcher = NUMBER.matcher(tail);
    Optional<Quantity> found = Optional.empty();
    while (matcher.find()) {
      Optional<Quantity> next = of(matcher);
      found = next.isPresent() ? next : found;
    }
    return found;
  }

  private static Optional<Quantity> of(Matcher matcher) {
    BigDecimal number = new BigDecimal(matcher.group(4).replaceAll("[,\u00a0\u202f ]", ""));
    if (matcher.group(5) != null) {
      number = number.scaleByPowerOfTen(Integer.parseInt(matcher.group(5)));
    }
    if (matcher.group(6) != null) {
      BigDecimal below = new BigDecimal(matcher.group(6));
      if (below.signum() == 0) {
        return Optional.empty();
      }
      number = number.divide(below, MathContext.DECIMAL64);
    }
    String sign = matcher.group(1) + matcher.group(3);
    if (sign.contains("-") || sign.contains("\u2212")) {
      number = number.negate();
    }
    String before = matcher.group(2);
    String after = matcher.group(7) == null ? "" : matcher.group(7);
    return Optional.of(new Quantity(number, singular(before.isEmpty() ? after : before)));
  }

  private static String singular(String unit) {
    String lower = unit.toLowerCase(Locale.ROOT);
    if (KNOWN.containsKey(lower)) {
      return lower;
    }
    if (lower.equals("inches")) {
      return "inch";
    }
    return lower.length() > 2 && lower.endsWith("s")
        ? lower.substring(0, lower.length() - 1)
        : lower;
  }

  /** The same quantity in the unit that its kind is counted in. */
  Quantity converted() {
    Map.Entry<String, BigDecimal> known = KNOWN.get(unit);
    return known == null ? this : new Quantity(number.multiply(known.getValue()), known.getKey());
  }
}
