package io.knack.evaluator.statistics;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Many e-values at once: which nulls may be rejected while few rejections are false. */
public final class EValues {
  private static final double NIGHT_EXPONENT = 1.6;

  /** Riemann's zeta at 1.6: the sum of t^-1.6 over all t. */
  private static final double NIGHT_TOTAL = zeta(NIGHT_EXPONENT);

  private EValues() {}

  /**
   * The e-BH procedure: rejects the k largest, k = max{i : e_(i) >= K / (i alpha)}. The false
   * discovery rate is at most alpha whatever the dependence.
   */
  public static boolean[] benjaminiHochberg(List<Double> values, double alpha) {
    double[] weighted = values.stream().mapToDouble(e -> e / values.size()).toArray();
    return rejectWeighted(weighted, alpha);
  }

  /**
   * e-BH over a stream: night t has the weight {@link #nightWeight}; after each night the weighted
   * e-values of all nights so far are held against e-BH. Gives the state after the last night.
   */
  public static boolean[] onlineBenjaminiHochberg(List<Double> values, double alpha) {
    double[] weighted =
        IntStream.range(0, values.size())
            .mapToDouble(t -> values.get(t) * nightWeight(t + 1))
            .toArray();
    return rejectWeighted(weighted, alpha);
  }

  /** e-LOND: rejects night t when e_t >= 1 / (alpha g_t (D + 1)), D the rejections before it. */
  public static boolean[] lond(List<Double> values, double alpha) {
    boolean[] rejected = new boolean[values.size()];
    int discoveries = 0;
    for (int t = 0; t < rejected.length; t++) {
      if (values.get(t) >= 1 / londLevel(t + 1, discoveries, alpha)) {
        rejected[t] = true;
        discoveries++;
      }
    }
    return rejected;
  }

  /** The level of e-LOND for night t, from 1, after so many rejections. */
  public static double londLevel(int night, int discoveries, double alpha) {
    return alpha * nightWeight(night) * (discoveries + 1);
  }

  /** Proportional to t^-1.6; sums to 1 over all nights. */
  public static double nightWeight(int night) {
    return Math.pow(night, -NIGHT_EXPONENT) / NIGHT_TOTAL;
  }

  private static boolean[] rejectWeighted(double[] weighted, double alpha) {
    double[] sorted = weighted.clone();
    Arrays.sort(sorted);
    int k = 0;
    for (int i = 1; i <= sorted.length; i++) {
      if (sorted[sorted.length - i] >= 1 / (i * alpha)) {
        k = i;
      }
    }
    boolean[] rejected = new boolean[weighted.length];
    for (int i = 0; i < weighted.length; i++) {
      rejected[i] = k > 0 && weighted[i] >= 1 / (k * alpha);
    }
    return rejected;
  }

  /** Euler-Maclaurin: the first terms, the integral of the rest, and its first corrections. */
  private static double zeta(double s) {
    int terms = 1000;
    double sum = 0;
    for (int n = terms - 1; n >= 1; n--) {
      sum += Math.pow(n, -s);
    }
    double edge = Math.pow(terms, -s);
    return sum + edge * terms / (s - 1) + edge / 2 + s * edge / terms / 12;
  }
}
