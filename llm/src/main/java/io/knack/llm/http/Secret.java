package io.knack.llm.http;

/**
 * What must not appear in a message: an API key, as it stands, and as JSON or a URL write it.
 *
 * <p>A server that cuts an echoed key leaves a part of it, so parts count as the key where they are
 * {@value #TELLING} characters or longer.
 *
 * @param value of visible ASCII characters
 */
record Secret(String value) {
  private static final int TELLING = 12;

  /** Escapes of escapes that are seen through. */
  private static final int DEEPEST = 4;

  /** The words with {@code [key]} in the secret's places; takes words times secret steps. */
  String outOf(String words) {
    StringBuilder safe = new StringBuilder();
    int at = 0;
    while (at < words.length()) {
      int end = longest(words, at);
      if (end > at) {
        safe.append("[key]");
        at = end;
      } else {
        safe.append(words.charAt(at++));
      }
    }
    return safe.toString();
  }

  /** Where the longest telling part of the secret that begins here ends; {@code at} for none. */
  private int longest(String words, int at) {
    int shortest = Math.min(TELLING, value.length());
    int longest = at;
    for (int first = 0; first <= value.length() - shortest; first++) {
      int end = at;
      int matched = 0;
      while (first + matched < value.length()) {
        int next = past(words, end, value.charAt(first + matched));
        if (next < 0) {
          break;
        }
        end = next;
        matched++;
      }
      if (matched >= shortest) {
        longest = Math.max(longest, end);
      }
    }
    return longest;
  }

  /**
   * Where this character ends, as it is or after a backslash, in JSON's hexadecimal digits or a
   * URL's; -1 for another.
   */
  private static int past(String words, int at, char wanted) {
    if (at >= words.length()) {
      return -1;
    }
    char found = words.charAt(at);
    if (found == wanted) {
      return at + 1;
    }
    int next = at + 1;
    if (found == '\\') {
      while (next - at < DEEPEST && words.startsWith("\\", next)) {
        next++;
      }
      if (words.startsWith(String.valueOf(wanted), next)) {
        return next + 1;
      }
      return words.startsWith("u", next) && hex(words, next + 1, 4) == wanted ? next + 5 : -1;
    }
    if (found == '%') {
      for (int depth = 0; depth < DEEPEST; depth++) {
        if (hex(words, next, 2) == wanted) {
          return next + 2;
        }
        if (!words.startsWith("25", next)) {
          return -1;
        }
        next += 2;
      }
    }
    return -1;
  }

  private static int hex(String words, int from, int digits) {
    if (from + digits > words.length()) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < from + digits; i++) {
      int digit = Character.digit(words.charAt(i), 16);
      if (digit < 0) {
        return -1;
      }
      value = 16 * value + digit;
    }
    return value;
  }

  /** Not the value. */
  @Override
  public String toString() {
    return "[key]";
  }
}
