package io.knack.evaluator.measure;

import io.knack.contracts.Example;
import io.knack.contracts.id.ClusterId;
import io.knack.practice.features.Words;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The words that name a cluster: nearly all of its problems say them together, and hardly any
 * problem of anything else does. A product, a policy, a table, an error.
 *
 * <p>Likeness cannot tell a trap (the looks of a known problem, another name) from a new structure
 * under a known name: the first is nearer to the centroid than the second. The name can.
 *
 * <p>A cluster's problems may share more than its name: one wording, one structure. Solutions tell
 * which words matter. Of the words that a cluster's problems share, those are kept that problems
 * elsewhere say when they are solved with the same knowledge: with a line that most solutions of
 * this cluster have and few others do. Words that problems with other solutions say just as well
 * are no name. Where solutions share no line all words are kept, and the trigger stays narrow. A
 * cluster without such words, or with too few different texts to tell a name from what merely
 * recurs, takes the name of one with the same knowledge if its problems say it; else it has no key
 * words and is known by likeness.
 *
 * <p>Cost: linear in the words of all texts, and in clusters times texts.
 */
final class KeyWords {
  /** Least share of a cluster's texts that say a key word: one in ten may be there by mistake. */
  private static final double COVERAGE = 0.85;

  /** A word that more of the other texts say is nobody's name. */
  private static final double COMMON = 0.25;

  /** Largest share of texts of other knowledge that say all key words. */
  private static final double ELSEWHERE = 0.02;

  /** Fewer different texts cannot tell a name from what merely recurs. */
  private static final int LEAST_TEXTS = 4;

  private static final int MOST_KEYS = 6;

  /**
   * A line of the knowledge is in this share of a cluster's solutions, at least: a rule that
   * changed leaves two.
   */
  private static final double KNOWN = 0.3;

  /** And in less than this share of all others. */
  private static final double KNOWN_ELSEWHERE = 0.5;

  /** So many problems elsewhere must do with fewer words before the others are dropped. */
  private static final int LEAST_EVIDENCE = 2;

  private static final double AGREEMENT = 0.8;

  private final List<Text> texts = new ArrayList<>();

  /** A distinct problem. */
  private record Text(
      @Nullable ClusterId cluster, Set<String> words, @Nullable Set<String> solution) {}

  /**
   * @param examples problems of clusters and of none, repetitions allowed; with a solution where
   *     one is known
   */
  KeyWords(List<Example> examples) {
    Set<String> distinct = new HashSet<>();
    for (Example example : examples) {
      if (distinct.add(example.clusterId() + "\n" + example.problem())) {
        String solution = example.completion();
        Text text =
            new Text(
                example.clusterId(),
                Set.copyOf(Words.of(example.problem())),
                solution == null
                    ? null
                    : solution.lines().map(String::strip).collect(Collectors.toSet()));
        texts.add(text);
      }
    }
  }

  /**
   * What names a cluster.
   *
   * @param keys in order of the alphabet; empty when it has no name
   * @param knowledge lines that solve its problems; empty when solutions share none
   */
  record Name(List<String> keys, Set<String> knowledge) {
    static final Name NONE = new Name(List.of(), Set.of());

    /** Whether a problem is solved with what the cluster teaches, as far as its solution tells. */
    boolean sameKnowledge(Example example) {
      String solution = example.completion();
      return solution != null && solution.lines().map(String::strip).anyMatch(knowledge::contains);
    }
  }

  Map<ClusterId, Name> find() {
    Map<ClusterId, List<Text>> byCluster = new LinkedHashMap<>();
    for (Text text : texts) {
      ClusterId id = text.cluster();
      if (id != null) {
        byCluster.computeIfAbsent(id, k -> new ArrayList<>()).add(text);
      }
    }
    Map<ClusterId, Name> found = new LinkedHashMap<>();
    byCluster.forEach((id, own) -> found.put(id, of(id, own)));
    byCluster.forEach(
        (id, own) ->
            found.computeIfPresent(
                id, (k, name) -> name.keys().isEmpty() ? borrowed(name, own, found) : name));
    return found;
  }

  /** The name of a cluster with the same knowledge, where nearly all problems here say it. */
  private static Name borrowed(Name name, List<Text> own, Map<ClusterId, Name> found) {
    return found.values().stream()
        .filter(other -> !other.keys().isEmpty())
        .filter(other -> other.knowledge().stream().anyMatch(name.knowledge()::contains))
        .filter(other -> saying(own, Set.copyOf(other.keys())) >= COVERAGE * own.size())
        .min(
            Comparator.comparingInt((Name other) -> other.keys().size())
                .thenComparing(other -> String.join(" ", other.keys())))
        .map(other -> new Name(other.keys(), name.knowledge()))
        .orElse(name);
  }

  private Name of(ClusterId cluster, List<Text> own) {
    List<Text> others = texts.stream().filter(t -> !cluster.equals(t.cluster())).toList();
    Set<String> knowledge = knowledge(own, others);
    if (own.size() < LEAST_TEXTS) {
      return new Name(List.of(), knowledge);
    }
    List<Text> same = others.stream().filter(t -> knows(t, knowledge)).toList();
    List<Text> unlike = others.stream().filter(t -> !knows(t, knowledge)).toList();
    Set<String> keys = narrowed(widest(own, unlike), same, unlike);
    boolean names = !keys.isEmpty() && saying(unlike, keys) <= ELSEWHERE * others.size();
    return new Name(names ? keys.stream().sorted().toList() : List.of(), knowledge);
  }

  /** Words that nearly all of a cluster's problems say together, the rarest elsewhere first. */
  private static Set<String> widest(List<Text> own, List<Text> unlike) {
    Map<String, Integer> counts = new HashMap<>();
    own.forEach(text -> text.words().forEach(word -> counts.merge(word, 1, Integer::sum)));
    List<String> rarestFirst =
        counts.entrySet().stream()
            .filter(e -> e.getValue() >= COVERAGE * own.size())
            .map(Map.Entry::getKey)
            .filter(word -> !word.equals(Words.NUMBER))
            .filter(word -> saying(unlike, Set.of(word)) <= COMMON * unlike.size())
            .sorted(
                Comparator.comparingLong((String word) -> saying(unlike, Set.of(word)))
                    .thenComparing(word -> word))
            .toList();
    // What strangers say too is hardly a name, where anything rarer is.
    List<String> rare =
        rarestFirst.stream()
            .filter(word -> saying(unlike, Set.of(word)) <= ELSEWHERE * unlike.size())
            .toList();
    Set<String> keys = new LinkedHashSet<>();
    for (String word : rare.isEmpty() ? rarestFirst : rare) {
      keys.add(word);
      if (keys.size() > MOST_KEYS || saying(own, keys) < COVERAGE * own.size()) {
        keys.remove(word);
      }
    }
    return keys;
  }

  /** The part of the words that most problems elsewhere with the same knowledge say, if any. */
  private static Set<String> narrowed(Set<String> keys, List<Text> same, List<Text> unlike) {
    Set<Set<String>> parts = new LinkedHashSet<>();
    for (Text text : same) {
      Set<String> part = new TreeSet<>(keys);
      part.retainAll(text.words());
      if (!part.isEmpty() && part.size() < keys.size()) {
        parts.add(part);
      }
    }
    Set<String> best = keys;
    long most = LEAST_EVIDENCE - 1;
    for (Set<String> part : parts) {
      long agree = saying(same, part);
      long differ = unlike.stream().filter(t -> t.solution() != null && says(t, part)).count();
      if (agree > most
          && agree >= AGREEMENT * (agree + differ)
          && saying(unlike, part) <= ELSEWHERE * (same.size() + unlike.size())) {
        best = part;
        most = agree;
      }
    }
    return best;
  }

  /** Lines that most solutions of a cluster have and few others do. */
  private static Set<String> knowledge(List<Text> own, List<Text> others) {
    Map<String, Integer> lines = new HashMap<>();
    int solved = 0;
    for (Text text : own) {
      Set<String> solution = text.solution();
      if (solution != null) {
        solved++;
        solution.forEach(line -> lines.merge(line, 1, Integer::sum));
      }
    }
    long elsewhere = others.stream().filter(t -> t.solution() != null).count();
    double least = KNOWN * solved;
    return lines.entrySet().stream()
        .filter(e -> e.getValue() >= least && !e.getKey().isEmpty())
        .map(Map.Entry::getKey)
        .filter(
            line ->
                others.stream().filter(t -> knows(t, Set.of(line))).count()
                    < KNOWN_ELSEWHERE * elsewhere)
        .collect(Collectors.toSet());
  }

  private static boolean knows(Text text, Set<String> knowledge) {
    Set<String> solution = text.solution();
    return solution != null && solution.stream().anyMatch(knowledge::contains);
  }

  private static long saying(List<Text> among, Set<String> words) {
    return among.stream().filter(t -> says(t, words)).count();
  }

  private static boolean says(Text text, Set<String> words) {
    return text.words().containsAll(words);
  }
}
