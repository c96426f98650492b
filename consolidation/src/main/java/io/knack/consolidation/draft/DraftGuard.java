package io.knack.consolidation.draft;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What no draft may do, whatever it would save: carry instructions, leak what was scrubbed, repeat
 * a case, or state a fact that the evidence does not have.
 *
 * <p>Facts are numbers, names and dates. A number must stand in the evidence with the same value; a
 * percentage may stand there as a fraction or a factor (7% as 0.07 or 1.07). A name is a word with
 * a capital that does not begin a sentence.
 */
public final class DraftGuard {
  /** Words in a row that make a copy. */
  private static final int COPY = 12;

  private static final int SHORT_COPY = 6;

  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\[[A-Z][A-Z0-9_]{1,40}_\\d{1,6}\\]|<[A-Z][A-Z0-9_]{1,40}>");
  private static final Pattern NUMBER = Pattern.compile("\\d{1,40}(?:[.,]\\d{1,40})*");
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+");
  private static final Pattern CAPITAL = Pattern.compile("(?<![\\p{L}\\p{N}])\\p{Lu}[\\p{L}'-]+");
  private static final Pattern DATE_WORD =
      Pattern.compile(
          "(?i)\\b(monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february"
              + "|march|april|june|july|august|september|october|november|december)\\b");

  private final int maxCharacters;

  public DraftGuard(int maxCharacters) {
    this.maxCharacters = maxCharacters;
  }

  /**
   * Why a draft is refused, or empty.
   *
   * @param evidence problems and attempts that the draft was made from, and rules it revised
   */
  public Optional<Rejection> refuse(Draft draft, List<String> evidence) {
    String words = draft.words();
    if (words.length() > maxCharacters) {
      return Optional.of(Rejection.TOO_LONG);
    }
    if (PLACEHOLDER.matcher(words).find()) {
      return Optional.of(Rejection.PLACEHOLDER);
    }
    if (Injections.inRule(words)) {
      return Optional.of(Rejection.INJECTION);
    }
    if (copies(draft, evidence)) {
      return Optional.of(Rejection.VERBATIM);
    }
    String all = String.join("\n", evidence);
    if (!numbersStand(words, all)) {
      return Optional.of(Rejection.UNSUPPORTED_NUMBER);
    }
    if (!namesStand(draft, all)) {
      return Optional.of(Rejection.UNSUPPORTED_NAME);
    }
    return Optional.empty();
  }

  private static boolean copies(Draft draft, List<String> evidence) {
    List<String> words = words(draft.words());
    String whole = " " + String.join(" ", words) + " ";
    Set<String> runs = new HashSet<>();
    for (int i = 0; i + COPY <= words.size(); i++) {
      runs.add(String.join(" ", words.subList(i, i + COPY)));
    }
    for (String text : evidence) {
      List<String> theirs = words(text);
      if (words.size() >= SHORT_COPY && (" " + String.join(" ", theirs) + " ").contains(whole)) {
        return true;
      }
      for (int i = 0; i + COPY <= theirs.size() && !runs.isEmpty(); i++) {
        if (runs.contains(String.join(" ", theirs.subList(i, i + COPY)))) {
          return true;
        }
      }
    }
    return false;
  }

  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(text.toLowerCase(Locale.ROOT));
    while (matcher.find()) {
      words.add(matcher.group());
    }
    return words;
  }

  private static boolean numbersStand(String draft, String evidence) {
    Set<BigDecimal> known = new HashSet<>(numbers(evidence));
    Matcher matcher = NUMBER.matcher(draft);
    while (matcher.find()) {
      BigDecimal number = number(matcher.group());
      String after = draft.substring(matcher.end()).stripLeading();
      boolean percent =
          after.startsWith("%") || after.toLowerCase(Locale.ROOT).startsWith("percent");
      BigDecimal share = number.movePointLeft(2);
      boolean stands =
          known.contains(canonical(number))
              || (percent
                  && (known.contains(canonical(share))
                      || known.contains(canonical(BigDecimal.ONE.add(share)))
                      || known.contains(canonical(BigDecimal.ONE.subtract(share)))
                      || known.contains(canonical(BigDecimal.valueOf(100).subtract(number)))
                      || known.contains(canonical(BigDecimal.valueOf(100).add(number)))));
      if (!stands) {
        return false;
      }
    }
    return true;
  }

  private static List<BigDecimal> numbers(String text) {
    List<BigDecimal> numbers = new ArrayList<>();
    Matcher matcher = NUMBER.matcher(text);
    while (matcher.find()) {
      numbers.add(canonical(number(matcher.group())));
    }
    return numbers;
  }

  private static BigDecimal number(String text) {
    String plain = text.replaceAll(",(?=\\d{3}(?:\\D|$))", "").replace(',', '.');
    int dot = plain.indexOf('.');
    if (dot >= 0 && plain.indexOf('.', dot + 1) >= 0) {
      plain = plain.replace(".", ""); // a date or version: its digits as one
    }
    return new BigDecimal(plain);
  }

  private static BigDecimal canonical(BigDecimal number) {
    return number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
  }

  private static boolean namesStand(Draft draft, String evidence) {
    Set<String> known = new HashSet<>(words(evidence));
    Matcher dates = DATE_WORD.matcher(draft.words());
    while (dates.find()) {
      if (!known.contains(dates.group().toLowerCase(Locale.ROOT))) {
        return false;
      }
    }
    for (String part : List.of(draft.when(), draft.then(), draft.scope())) {
      Matcher matcher = CAPITAL.matcher(part);
      while (matcher.find()) {
        String before = part.substring(0, matcher.start()).stripTrailing();
        boolean begins =
            before.isEmpty() || ".!?:;".indexOf(before.charAt(before.length() - 1)) >= 0;
        if (!begins && !words(matcher.group()).stream().allMatch(known::contains)) {
          return false;
        }
      }
    }
    return true;
  }
}
