package io.knack.spark.mine;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How well groups agree with a truth, from the table of common counts. */
final class Agreement {
  /** Rows of one true class and one found group. */
  record Count(int truth, String found, long rows) {}

  private Agreement() {}

  /** The adjusted Rand index of Hubert and Arabie (1985). */
  static double adjustedRand(List<Count> counts) {
    Map<Integer, Long> truths = new HashMap<>();
    Map<String, Long> groups = new HashMap<>();
    double both = 0;
    double total = 0;
    for (Count count : summed(counts)) {
      truths.merge(count.truth(), count.rows(), Long::sum);
      groups.merge(count.found(), count.rows(), Long::sum);
      both += pairs((double) count.rows());
      total += count.rows();
    }
    double a = sumPairs(truths.values());
    double b = sumPairs(groups.values());
    double expected = total < 2 ? 0 : a * b / pairs(total);
    double most = (a + b) / 2;
    return most == expected ? 1 : (both - expected) / (most - expected);
  }

  /**
   * Mean over true classes from a rank on of the best F1 that a found group reaches.
   *
   * @param from classes are ranks; the larger ones before this are left out
   */
  static double meanF1(List<Count> counts, int from) {
    Map<Integer, Long> truths = new HashMap<>();
    Map<String, Long> groups = new HashMap<>();
    for (Count count : counts) {
      truths.merge(count.truth(), count.rows(), Long::sum);
      groups.merge(count.found(), count.rows(), Long::sum);
    }
    Map<Integer, Double> best = new HashMap<>();
    for (Count count : summed(counts)) {
      if (count.truth() >= from) {
        double sizes =
            truths.getOrDefault(count.truth(), 0L) + groups.getOrDefault(count.found(), 0L);
        best.merge(count.truth(), 2 * count.rows() / sizes, Math::max);
      }
    }
    return best.values().stream().mapToDouble(f -> f).average().orElse(Double.NaN);
  }

  /** Each pair of class and group once. */
  private static List<Count> summed(List<Count> counts) {
    Map<String, Count> sums = new TreeMap<>();
    for (Count count : counts) {
      sums.merge(
          count.truth() + "\t" + count.found(),
          count,
          (a, b) -> new Count(a.truth(), a.found(), a.rows() + b.rows()));
    }
    return List.copyOf(sums.values());
  }

  private static double sumPairs(Collection<Long> sizes) {
    return sizes.stream().mapToDouble(size -> pairs((double) size)).sum();
  }

  private static double pairs(double n) {
    return n * (n - 1) / 2;
  }
}
