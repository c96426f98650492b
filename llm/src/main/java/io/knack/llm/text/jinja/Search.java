package io.knack.llm.text.jinja;

/**
 * Finds a text in a text, in a time that is linear in both and paid for.
 *
 * <p>Java's own search takes the product of the two lengths at the worst, which is fine for short
 * texts only; longer ones are searched for as Knuth, Morris and Pratt do ("Fast pattern matching in
 * strings", 1977).
 */
final class Search {
  private static final int SHORT = 16;

  private Search() {}

  /** The first place at or behind {@code from}; -1 where there is none. */
  static int first(Meter meter, String text, String sought, int from) {
    int at =
        sought.length() <= SHORT
            ? text.indexOf(sought, from)
            : scan(text, from, text.length(), sought, Direction.FORWARD);
    pay(meter, sought, (at < 0 ? text.length() : at) - from);
    return at;
  }

  /** The last place that ends at or before {@code end}; -1 where there is none. */
  static int last(Meter meter, String text, String sought, int end) {
    if (sought.length() > end) {
      return -1;
    }
    int at =
        sought.length() <= SHORT
            ? text.lastIndexOf(sought, end - sought.length())
            : scan(text, 0, end, sought, Direction.BACKWARD);
    pay(meter, sought, at < 0 ? end : end - at);
    return at;
  }

  private static void pay(Meter meter, String sought, int walked) {
    meter.touch(4L * (walked + sought.length()));
  }

  private enum Direction {
    FORWARD,
    BACKWARD
  }

  private static int scan(String text, int from, int end, String sought, Direction direction) {
    int size = sought.length();
    int[] border = new int[size]; // The longest proper prefix that also ends at i.
    for (int i = 1, matched = 0; i < size; i++) {
      char c = at(sought, 0, size, i, direction);
      while (matched > 0 && c != at(sought, 0, size, matched, direction)) {
        matched = border[matched - 1];
      }
      border[i] = c == at(sought, 0, size, matched, direction) ? ++matched : matched;
    }
    for (int i = 0, matched = 0; i < end - from; i++) {
      char c = at(text, from, end, i, direction);
      while (matched > 0 && c != at(sought, 0, size, matched, direction)) {
        matched = border[matched - 1];
      }
      matched += c == at(sought, 0, size, matched, direction) ? 1 : 0;
      if (matched == size) {
        return direction == Direction.FORWARD ? from + i + 1 - size : end - i - 1;
      }
    }
    return -1;
  }

  private static char at(String text, int from, int end, int i, Direction direction) {
    return text.charAt(direction == Direction.FORWARD ? from + i : end - 1 - i);
  }
}
