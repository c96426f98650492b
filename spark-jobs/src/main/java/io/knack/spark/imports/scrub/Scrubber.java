package io.knack.spark.imports.scrub;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Replaces personal data and secrets by placeholders such as {@code [EMAIL_1]}. Safe for many
 * threads.
 *
 * <p>Placeholders are numbered within one interaction in the order of appearance, the same value
 * always the same: the sense of a problem survives, and the same problem from two people is the
 * same text, so that it still clusters.
 */
public final class Scrubber {
  private record Own(String kind, Pattern pattern) implements Detector {
    @Override
    public void find(String text, List<Span> found) {
      Matcher match = pattern.matcher(text);
      while (match.find()) {
        if (match.end() > match.start()) {
          found.add(new Span(kind, match.start(), match.end()));
        }
      }
    }
  }

  private final List<Detector> detectors;
  private final boolean always;

  /**
   * @param phoneRegions countries whose national way of writing is known, as {@code US}
   * @param patterns the user's own, name to regular expression; the name is the placeholder's
   */
  public Scrubber(List<String> phoneRegions, Map<String, String> patterns) {
    detectors = new ArrayList<>();
    new TreeMap<>(patterns)
        .forEach(
            (name, regex) ->
                detectors.add(
                    new Own(name.toUpperCase(java.util.Locale.ROOT), Pattern.compile(regex))));
    always = !detectors.isEmpty();
    detectors.add(new Secrets());
    detectors.add(new Accounts());
    detectors.add(new NationalIds());
    detectors.add(new Contacts(phoneRegions));
  }

  /** Starts one interaction. */
  public Session session() {
    return new Session();
  }

  /** The placeholders of one interaction. Not safe for many threads. */
  public final class Session {
    private final Map<String, String> placeholders = new HashMap<>();
    private final Map<String, Integer> counts = new TreeMap<>();

    private Session() {}

    /** How many different values of each kind were replaced. */
    public Map<String, Integer> counts() {
      return counts;
    }

    public String scrub(String text) {
      if (!always && !suspicious(text)) {
        return text;
      }
      List<Span> found = new ArrayList<>();
      for (Detector detector : detectors) {
        detector.find(text, found);
      }
      return found.isEmpty() ? text : replace(text, found);
    }

    /** Of overlapping finds the one that starts first stays, then the longer, then the earlier. */
    private String replace(String text, List<Span> found) {
      found.sort(
          Comparator.comparingInt(Span::start)
              .thenComparing(Comparator.comparingInt(Span::end).reversed()));
      StringBuilder out = new StringBuilder(text.length());
      int at = 0;
      for (Span span : found) {
        if (span.start() < at) {
          continue;
        }
        out.append(text, at, span.start());
        String value = text.substring(span.start(), span.end());
        out.append(placeholders.computeIfAbsent(span.kind() + value, key -> next(span.kind())));
        at = span.end();
      }
      return out.append(text, at, text.length()).toString();
    }

    private String next(String kind) {
      return "[" + kind + "_" + counts.merge(kind, 1, Integer::sum) + "]";
    }
  }

  /**
   * A quick look that most texts end with: nothing here is found without an at sign, four digits,
   * sixteen characters without a space, or a digit beside a credential's colon or a longer word.
   */
  private static boolean suspicious(String text) {
    int digits = 0;
    int run = 0;
    int longest = 0;
    int colons = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '@') {
        return true;
      }
      if (c == ':' || c == '=') {
        colons++;
      }
      if (Character.isDigit(c) && ++digits >= 4) {
        return true;
      }
      run = Character.isWhitespace(c) ? 0 : run + 1;
      longest = Math.max(longest, run);
      if (run >= 16 && c < 128) {
        return true;
      }
    }
    return digits > 0 && (colons > 0 || longest >= 8);
  }
}
