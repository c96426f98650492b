package io.knack.evaluator.statistics;

/**
 * An e-process against "the mean of y is at most 0" without anything to tune: the mean of the
 * products for a grid of constant bets, lambda_j = sin^2(pi (j + 1/2) / 2K) / lowest, j = 0..K-1.
 * Time and memory per row are in O(K).
 */
public final class GridMixture {
  private final double[] bets;
  private final double[] logs;
  private double logE;
  private double peak;

  /**
   * @param size K, the number of bets
   * @param lowest rows are at least -lowest
   */
  public GridMixture(int size, double lowest) {
    bets = new double[size];
    logs = new double[size];
    for (int j = 0; j < size; j++) {
      double sine = Math.sin(Math.PI * (j + 0.5) / (2.0 * size));
      bets[j] = sine * sine / lowest;
    }
  }

  public void observe(double y) {
    double highest = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < bets.length; j++) {
      logs[j] += Math.log1p(bets[j] * y);
      highest = Math.max(highest, logs[j]);
    }
    double sum = 0;
    for (double log : logs) {
      sum += Math.exp(log - highest);
    }
    logE = highest + Math.log(sum / bets.length);
    peak = Math.max(peak, logE);
  }

  public double logE() {
    return logE;
  }

  public double peakLogE() {
    return peak;
  }
}
