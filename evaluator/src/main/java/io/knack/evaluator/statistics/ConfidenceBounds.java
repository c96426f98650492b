package io.knack.evaluator.statistics;

import io.knack.contracts.Interval;
import java.util.function.DoublePredicate;

/**
 * Intervals around paired comparisons.
 *
 * <p>{@link #saving} and {@link #accuracyChange} are confidence sequences: a value is inside until
 * the betting test against it has ever reached 2/alpha on its side, so they hold at any stopping
 * time, and may be looked at after every problem. {@link #fixedSaving} and {@link #fixedMean} are
 * the ordinary intervals for a number of problems that was fixed before; they are narrower, and
 * invalid where anybody peeked.
 */
public final class ConfidenceBounds {
  private static final double SAVING_STEP = 0.005;
  private static final double LOWEST_SAVING = -3;
  private static final double ACCURACY_STEP = 0.0025;
  private static final int STRIDE = 20;

  private ConfidenceBounds() {}

  /**
   * Of 1 - (sum of the candidate's costs) / (sum of the baseline's), at any stopping time. A low of
   * -3 means "-3 or less".
   */
  public static Interval saving(PairedRows rows, double alpha) {
    double estimate = savingEstimate(rows);
    double threshold = Math.log(2 / alpha);
    double low = savingLow(rows, threshold);
    double high =
        lastRejected(1, LOWEST_SAVING, SAVING_STEP, s -> peak(rows, s, Side.DEARER) >= threshold);
    return new Interval(estimate, Math.min(low, estimate), Math.max(high, estimate));
  }

  /**
   * The largest saving on a grid that is proved, one-sided at alpha; -3, the lowest of the grid,
   * means "-3 or less".
   */
  public static double provedSaving(PairedRows rows, double alpha) {
    return savingLow(rows, Math.log(1 / alpha));
  }

  /** Of the mean difference of the answers, at any stopping time. */
  public static Interval accuracyChange(int[] differences, double alpha) {
    double threshold = Math.log(2 / alpha);
    double low =
        lastRejected(-1, 1, ACCURACY_STEP, m -> m == -1 || peak(differences, m, 1) >= threshold);
    double high =
        lastRejected(1, -1, ACCURACY_STEP, m -> m == 1 || peak(differences, m, -1) >= threshold);
    double estimate = mean(differences);
    return new Interval(estimate, Math.min(low, estimate), Math.max(high, estimate));
  }

  /**
   * Of the saving, for a number of problems fixed in advance: the ratio's delta method, with a
   * normal quantile.
   *
   * @param z such as 1.96 for 95%
   */
  public static Interval fixedSaving(double[] baseline, double[] candidate, double z) {
    int n = baseline.length;
    double base = 0;
    double cand = 0;
    for (int i = 0; i < n; i++) {
      base += baseline[i];
      cand += candidate[i];
    }
    if (base <= 0) {
      return new Interval(0, Double.NEGATIVE_INFINITY, 1);
    }
    double ratio = cand / base;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double residual = candidate[i] - ratio * baseline[i];
      squares += residual * residual;
    }
    double error = n < 2 ? Double.POSITIVE_INFINITY : Math.sqrt(squares * n / (n - 1.0)) / base;
    return new Interval(1 - ratio, 1 - ratio - z * error, 1 - ratio + z * error);
  }

  /** Of a mean, for a number of rows fixed in advance, with a normal quantile. */
  public static Interval fixedMean(double[] rows, double z) {
    double mean = 0;
    for (double row : rows) {
      mean += row;
    }
    mean /= Math.max(1, rows.length);
    double squares = 0;
    for (double row : rows) {
      squares += (row - mean) * (row - mean);
    }
    double error =
        rows.length < 2
            ? Double.POSITIVE_INFINITY
            : Math.sqrt(squares / (rows.length - 1.0) / rows.length);
    return new Interval(mean, mean - z * error, mean + z * error);
  }

  private enum Side {
    CHEAPER,
    DEARER
  }

  private static double savingLow(PairedRows rows, double threshold) {
    return lastRejected(
        LOWEST_SAVING, 1, SAVING_STEP, s -> peak(rows, s, Side.CHEAPER) >= threshold);
  }

  /**
   * The last value on the way from an end that is rejected with all before it: in strides first,
   * step by step in the stride where rejection ends.
   */
  private static double lastRejected(
      double from, double to, double step, DoublePredicate rejected) {
    double signed = from < to ? step : -step;
    double last = from;
    for (double stride : new double[] {STRIDE * signed, signed}) {
      for (double at = last + stride; (to - at) * signed > 0; at += stride) {
        if (!rejected.test(at)) {
          break;
        }
        last = at;
      }
    }
    return last;
  }

  private static double peak(PairedRows rows, double saving, Side side) {
    double ratio = 1 - saving;
    double lowest = side == Side.CHEAPER ? rows.candidateCap() : ratio * rows.baselineCap();
    if (lowest <= 0) {
      return rows.size() > 0 ? Double.POSITIVE_INFINITY : 0;
    }
    BettingTest test = BettingTest.cost(lowest);
    for (PairedRows.Row row : rows.rows()) {
      double y = ratio * row.baselineCost() - row.candidateCost();
      test.observe(side == Side.CHEAPER ? y : -y);
    }
    return test.peakLogE();
  }

  private static double peak(int[] differences, double mean, int sign) {
    BettingTest test = sign > 0 ? BettingTest.accuracy(-mean) : BettingTest.harm(-mean);
    for (int d : differences) {
      test.observe(sign * (d - mean));
    }
    return test.peakLogE();
  }

  private static double savingEstimate(PairedRows rows) {
    double base = 0;
    double cand = 0;
    for (PairedRows.Row row : rows.rows()) {
      base += row.baselineCost();
      cand += row.candidateCost();
    }
    return base <= 0 ? 0 : 1 - cand / base;
  }

  private static double mean(int[] values) {
    double sum = 0;
    for (int value : values) {
      sum += value;
    }
    return values.length == 0 ? 0 : sum / values.length;
  }
}
