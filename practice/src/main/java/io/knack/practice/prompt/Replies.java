package io.knack.practice.prompt;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what models reply to {@link Prompts}, in either form. */
public final class Replies {
  private static final Pattern ANSWER_LINE =
      Pattern.compile("^[\\s*_#>-]{0,8}(?:(?i:final )?(?i:answer)|A)[*_ ]{0,4}:[*_ ]{0,8}(.*)$");
  private static final Pattern HASHES = Pattern.compile("^\\s*####\\s*(.+)$");
  private static final Pattern DIGIT = Pattern.compile("(?<![\\d.])([0-9])(?![\\d.]*\\d)");

  private Replies() {}

  /**
   * The conclusion of an answer: the last {@code A:}, {@code Answer:}, {@code #### } line or {@code
   * \boxed{}}, whichever comes last; empty when there is none.
   */
  public static Optional<String> conclusion(String answer) {
    String found = null;
    for (String line : (Iterable<String>) answer.lines()::iterator) {
      if (line.length() > 4096) {
        continue;
      }
      Matcher named = ANSWER_LINE.matcher(line);
      Matcher hashes = HASHES.matcher(line);
      if (named.matches()) {
        found = named.group(1);
      } else if (hashes.matches()) {
        found = hashes.group(1);
      }
      String boxed = boxed(line);
      if (boxed != null) {
        found = boxed;
      }
    }
    return Optional.ofNullable(found).map(Replies::bare).filter(text -> !text.isEmpty());
  }

  /** What stands in the last {@code \boxed{..}} of a line, braces balanced. */
  private static @org.jspecify.annotations.Nullable String boxed(String line) {
    int at = line.lastIndexOf("\\boxed{");
    if (at < 0) {
      return null;
    }
    int open = 1;
    for (int i = at + 7; i < line.length(); i++) {
      open += line.charAt(i) == '{' ? 1 : line.charAt(i) == '}' ? -1 : 0;
      if (open == 0) {
        return line.substring(at + 7, i);
      }
    }
    return null;
  }

  private static String bare(String text) {
    String bare = text.strip();
    while (bare.length() > 1 && (bare.endsWith("**") || bare.endsWith("__"))) {
      bare = bare.substring(0, bare.length() - 2).strip();
    }
    return bare;
  }

  /** Whether a step of a tree concludes. */
  public static boolean concludes(String step) {
    return conclusion(step).isPresent();
  }

  /** A value or judgement from 0 to 9, as a share of 9; empty when the reply has none. */
  public static OptionalDouble digit(String reply) {
    Matcher matcher = DIGIT.matcher(reply);
    return matcher.find()
        ? OptionalDouble.of((matcher.group(1).charAt(0) - '0') / 9.0)
        : OptionalDouble.empty();
  }
}
