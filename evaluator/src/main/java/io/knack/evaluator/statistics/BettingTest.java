package io.knack.evaluator.statistics;

/**
 * An e-process against "the mean of y is at most 0", with bets from earlier rows only: the
 * approximately growth-optimal bet mu / (v + mu^2), from a running mean and variance that start at
 * a prior. Constant time and memory per row.
 *
 * <p>The bet before row t is clip(mu / (v + mu^2), 0, maxBet), where mu = (n0 mu0 + sum y) / (n0 +
 * t - 1), q = (n0 (v0 + mu0^2) + sum y^2) / (n0 + t - 1) and v = q - mu^2. The row must be at least
 * -1 / maxBet, or the product could turn negative.
 */
public final class BettingTest {
  /** Share of the largest lawful bet that is ever placed. */
  private static final double KAPPA = 0.5;

  private final double priorWeight;
  private final double maxBet;
  private double sum;
  private double sumOfSquares;
  private double logE;
  private double peak;
  private long rows;

  private BettingTest(
      double priorWeight, double priorMean, double priorVariance, double lowestRow) {
    this.priorWeight = priorWeight;
    this.maxBet = KAPPA / lowestRow;
    this.sum = priorWeight * priorMean;
    this.sumOfSquares = priorWeight * (priorVariance + priorMean * priorMean);
  }

  /**
   * Against "the difference of two right-or-wrong answers has a mean of at most -margin". Rows are
   * difference + margin, the difference being -1, 0 or 1.
   */
  public static BettingTest accuracy(double margin) {
    return new BettingTest(50, margin, 0.1, 1 - margin);
  }

  /**
   * Against "the difference has a mean of at least -margin": evidence of harm. Rows are
   * -(difference + margin).
   */
  public static BettingTest harm(double margin) {
    return new BettingTest(50, 0, 0.1, 1 + margin);
  }

  /** Against "the mean is at most 0", for rows that are at least -lowest. */
  public static BettingTest cost(double lowest) {
    return new BettingTest(1, 0, lowest * lowest / 16, lowest);
  }

  /** The bet that the next row will meet. */
  public double nextBet() {
    double n = priorWeight + rows;
    double mean = sum / n;
    double square = sumOfSquares / n; // v + mu^2 = q
    double bet = square <= 0 ? 0 : mean / square;
    return Math.max(0, Math.min(bet, maxBet));
  }

  public void observe(double y) {
    double factor = 1 + nextBet() * y;
    if (!(factor > 0)) {
      throw new IllegalArgumentException("a row of " + y + " is below what this test was made for");
    }
    logE += Math.log(factor);
    peak = Math.max(peak, logE);
    sum += y;
    sumOfSquares += y * y;
    rows++;
  }

  /** Natural logarithm of the e-process now. */
  public double logE() {
    return logE;
  }

  /** Its highest value so far, at least 0: what Ville's inequality bounds. */
  public double peakLogE() {
    return peak;
  }

  public long rows() {
    return rows;
  }
}
