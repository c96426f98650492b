package io.knack.practice.features;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * How far the texts that share a feature gather in few groups: what separates the words of a
 * problem from those of a common sentence, however frequent either is.
 *
 * <p>Inverse document frequency cannot: the words of a problem that is a seventh of the log are as
 * frequent as "please". So a feature's weight is multiplied by the square root of {@code 1 - H2 /
 * H2 of the log}, where H2 is the Rényi entropy of order two of the groups in which its texts lie,
 * {@code -ln(chance that two of them share a group)}. Pairs are drawn without replacement, so that
 * a rare feature is not taken for a gathered one; two pairs of even chance are added to each
 * feature's own.
 */
final class Concentration {
  /** Least part of its weight that a feature keeps: groups may be wrong. */
  private static final double FLOOR = 0.05;

  private static final double PRIOR_PAIRS = 2;
  private static final double PRIOR_CHANCE = 0.5;

  private Concentration() {}

  /**
   * Multiplies weights, one for each bucket.
   *
   * @param features the buckets of each text, each once
   * @param group of each text; -1 where it is not known
   */
  static void apply(float[] weights, int[][] features, int[] group) {
    int[] texts =
        IntStream.range(0, group.length)
            .filter(t -> group[t] >= 0)
            .boxed()
            .sorted(Comparator.comparingInt(t -> group[t]))
            .mapToInt(t -> t)
            .toArray();
    double[] together = new double[weights.length]; // ordered pairs of texts in one group
    int[] count = new int[weights.length];
    int[] here = new int[weights.length];
    double all = 0;
    for (int from = 0, to = 0; from < texts.length; from = to) {
      for (to = from; to < texts.length && group[texts[to]] == group[texts[from]]; to++) {
        for (int bucket : features[texts[to]]) {
          here[bucket]++;
        }
      }
      all += pairs(to - from);
      for (int bucket : distinct(features, texts, from, to)) {
        together[bucket] += pairs(here[bucket]);
        count[bucket] += here[bucket];
        here[bucket] = 0;
      }
    }
    if (all == 0 || all == pairs(texts.length)) {
      return; // no groups, or a single one: nothing to tell by
    }
    double entropy = -StrictMath.log(all / pairs(texts.length));
    for (int bucket = 0; bucket < weights.length; bucket++) {
      double chance =
          (together[bucket] + PRIOR_PAIRS * PRIOR_CHANCE) / (pairs(count[bucket]) + PRIOR_PAIRS);
      double gathered = Math.max(0, 1 + StrictMath.log(chance) / entropy);
      weights[bucket] *= (float) (FLOOR + (1 - FLOOR) * Math.sqrt(gathered));
    }
  }

  private static int[] distinct(int[][] features, int[] texts, int from, int to) {
    return Arrays.stream(texts, from, to)
        .flatMap(t -> Arrays.stream(features[t]))
        .sorted()
        .distinct()
        .toArray();
  }

  private static double pairs(int n) {
    return n * (n - 1.0);
  }
}
