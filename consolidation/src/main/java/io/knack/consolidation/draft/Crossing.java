package io.knack.consolidation.draft;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Variants of a draft with other numbers, which several cases together suggest.
 *
 * <p>One accepted attempt often shows only a part of a rule: below a threshold, nothing is said of
 * what happens above it, and what the attempt states there was a guess. The drafts of one model
 * then agree in wording and differ in numbers. Whatever stands in the same wording, in another
 * draft or an accepted attempt, lends its numbers, one at a time; which to keep is for the replay
 * to say.
 */
public final class Crossing {
  private static final Pattern NUMBER = Pattern.compile("\\d{1,18}(?:[.,]\\d{1,18})*");

  /** Wordings with more numbers than this are lists, not rules. */
  private static final int MOST_NUMBERS = 6;

  private Crossing() {}

  /**
   * @param accepted drafts and accepted attempts to take numbers from
   * @param most variants at most; the numbers seen most often come first
   */
  public static List<Draft> variants(Draft draft, List<String> accepted, int most) {
    List<int[]> places = new ArrayList<>();
    StringBuilder wording = new StringBuilder("(?<![\\p{L}\\p{N}.,])");
    Matcher numbers = NUMBER.matcher(draft.then());
    int end = 0;
    while (numbers.find()) {
      words(wording, draft.then().substring(end, numbers.start()));
      wording.append("(").append(NUMBER.pattern()).append(")");
      places.add(new int[] {numbers.start(), numbers.end()});
      end = numbers.end();
    }
    words(wording, draft.then().substring(end));
    if (places.isEmpty() || places.size() > MOST_NUMBERS) {
      return List.of();
    }
    record Other(int place, String number) {}
    Map<Other, Integer> others = new LinkedHashMap<>();
    Pattern same = Pattern.compile(wording + "(?![\\p{L}\\p{N}])", Pattern.CASE_INSENSITIVE);
    for (String text : accepted) {
      Matcher found = same.matcher(text);
      while (found.find()) {
        for (int i = 0; i < places.size(); i++) {
          String number = found.group(i + 1);
          if (!number.equals(draft.then().substring(places.get(i)[0], places.get(i)[1]))) {
            others.merge(new Other(i, number), 1, Integer::sum);
          }
        }
      }
    }
    Set<Draft> variants = new LinkedHashSet<>();
    others.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(most)
        .forEach(
            entry -> {
              int[] place = places.get(entry.getKey().place());
              variants.add(
                  new Draft(
                      draft.when(),
                      draft.then().substring(0, place[0])
                          + entry.getKey().number()
                          + draft.then().substring(place[1]),
                      draft.scope()));
            });
    return List.copyOf(variants);
  }

  /** Text as it is, white space of any length. */
  private static void words(StringBuilder pattern, String text) {
    Matcher gaps = Pattern.compile("\\s+").matcher(text);
    int end = 0;
    while (gaps.find()) {
      if (gaps.start() > end) {
        pattern.append(Pattern.quote(text.substring(end, gaps.start())));
      }
      pattern.append("\\s+");
      end = gaps.end();
    }
    if (end < text.length()) {
      pattern.append(Pattern.quote(text.substring(end)));
    }
  }
}
