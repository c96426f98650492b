package io.knack.consolidation.draft;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says in the evidence's own words when a rule applies: the phrase that the solved problems of a
 * cluster share and that is rare in problems of other clusters.
 *
 * <p>A model that has understood a case may still misspell the name that it is about. What it says
 * to do is then worth a replay, and the occasion need not be taken from its word: it stands in the
 * problems. A phrase is at most {@value #LONGEST} words of one sentence, without numbers. Each word
 * counts the logarithm of its inverse document frequency elsewhere, less what a word has that
 * stands in 30% of other problems, and more when the draft itself uses it; so common words fall off
 * at both ends.
 */
public final class SharedWording {
  private static final int LONGEST = 6;

  /** Fewer problems elsewhere than this do not say what is common. */
  private static final int LEAST_OUTSIDE = 4;

  private static final double COMMON = Math.log(1 / 0.3);
  private static final double NAMED_BY_DRAFT = 1;

  /** Words that lead to an occasion and are no part of it. */
  private static final Set<String> LEADS =
      Set.of("if", "when", "whenever", "where", "for", "under", "with", "at", "in", "on");

  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N}'-]*");
  private static final String BREAK = "|";

  private final Map<String, Integer> everywhere = new HashMap<>();
  private int problems;

  /** Learns from every problem that the night looks at which words are common. */
  public void count(List<String> ofOneCluster) {
    frequencies(ofOneCluster).forEach((word, count) -> everywhere.merge(word, count, Integer::sum));
    problems += ofOneCluster.size();
  }

  /** Whether an occasion, but for the words that lead to it, stands in some text as it is. */
  public static boolean stands(String when, List<String> texts) {
    List<String> words = tokens(when).stream().map(SharedWording::lower).toList();
    int from = 0;
    while (from < words.size() && LEADS.contains(words.get(from))) {
      from++;
    }
    String phrase = joined(words.subList(from, words.size()));
    return from == words.size() || texts.stream().anyMatch(text -> joined(text).contains(phrase));
  }

  /**
   * The occasion in the problems' own words.
   *
   * @param when as the draft has it; the words that lead to the occasion are kept
   * @param shown the problems that the draft was made from, the newest first
   * @param cluster all problems of the cluster that were {@link #count counted}
   * @return empty when they share nothing that sets them apart
   */
  public Optional<String> of(String when, List<String> shown, List<String> cluster) {
    if (shown.isEmpty()) {
      return Optional.empty();
    }
    Map<String, Integer> own = frequencies(cluster);
    int outside = problems - cluster.size();
    Set<String> named = new HashSet<>();
    tokens(when).forEach(word -> named.add(lower(word)));
    List<String> shownTexts = shown.stream().map(SharedWording::joined).toList();
    List<String> allTexts = cluster.stream().map(SharedWording::joined).toList();
    int inShown = (2 * shown.size() + 2) / 3;
    int inAll = cluster.size() < 2 ? 1 : Math.max(2, (cluster.size() + 2) / 3);
    String best = null;
    double bestScore = 0;
    for (List<String> phrase : phrases(shown.get(0))) {
      double score = 0;
      for (String word : phrase) {
        String low = lower(word);
        int elsewhere = everywhere.getOrDefault(low, 0) - own.getOrDefault(low, 0);
        score +=
            outside < LEAST_OUTSIDE
                ? 0.1
                : Math.log((outside + 1.0) / (Math.max(0, elsewhere) + 1)) - COMMON;
        score += named.contains(low) ? NAMED_BY_DRAFT : 0;
      }
      if (score <= 0) {
        continue;
      }
      String text = joined(phrase.stream().map(SharedWording::lower).toList());
      long among = allTexts.stream().filter(t -> t.contains(text)).count();
      if (among < inAll || shownTexts.stream().filter(t -> t.contains(text)).count() < inShown) {
        continue;
      }
      score *= (double) among / Math.max(1, cluster.size());
      if (score > bestScore) {
        bestScore = score;
        best = String.join(" ", phrase);
      }
    }
    return Optional.ofNullable(best).map(phrase -> lead(when) + phrase);
  }

  private static String lead(String when) {
    StringBuilder lead = new StringBuilder();
    for (String word : when.strip().split("\\s+", -1)) {
      if (!LEADS.contains(lower(word))) {
        break;
      }
      lead.append(word).append(' ');
    }
    return lead.toString();
  }

  /** Runs of words of one sentence, numbers left out, each once. */
  private static Set<List<String>> phrases(String problem) {
    List<String> words = tokens(problem);
    Set<List<String>> phrases = new LinkedHashSet<>();
    for (int from = 0; from < words.size(); from++) {
      for (int to = from + 1; to <= Math.min(words.size(), from + LONGEST); to++) {
        String last = words.get(to - 1);
        if (last.equals(BREAK) || last.chars().anyMatch(Character::isDigit)) {
          break;
        }
        phrases.add(List.copyOf(words.subList(from, to)));
      }
    }
    return phrases;
  }

  /** In how many of some problems a word stands. */
  private static Map<String, Integer> frequencies(List<String> texts) {
    Map<String, Integer> frequencies = new HashMap<>();
    for (String text : texts) {
      Set<String> words = new HashSet<>();
      tokens(text).forEach(word -> words.add(lower(word)));
      words.forEach(word -> frequencies.merge(word, 1, Integer::sum));
    }
    return frequencies;
  }

  /** Words, and a mark wherever anything but white space stands between two. */
  private static List<String> tokens(String text) {
    List<String> tokens = new ArrayList<>();
    Matcher matcher = WORD.matcher(text);
    int end = 0;
    while (matcher.find()) {
      if (!tokens.isEmpty() && !text.substring(end, matcher.start()).isBlank()) {
        tokens.add(BREAK);
      }
      tokens.add(matcher.group());
      end = matcher.end();
    }
    return tokens;
  }

  private static String joined(String text) {
    return joined(tokens(text).stream().map(SharedWording::lower).toList());
  }

  private static String joined(List<String> words) {
    return " " + String.join(" ", words) + " ";
  }

  private static String lower(String word) {
    return word.toLowerCase(Locale.ROOT);
  }
}
