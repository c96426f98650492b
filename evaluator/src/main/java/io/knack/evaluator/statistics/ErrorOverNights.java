package io.knack.evaluator.statistics;

/**
 * One error budget over many nights: e-LOND (Xu and Ramdas, "Online multiple testing with
 * e-values", 2024), which keeps the expected share of false promotions among all promotions at
 * alpha, whatever the nights have in common.
 */
public final class ErrorOverNights {
  private static final double EXPONENT = 1.6;

  /** Riemann's zeta at 1.6: the sum of t^-1.6 over all t. */
  private static final double TOTAL = zeta(EXPONENT);

  private ErrorOverNights() {}

  /**
   * The level that a night is tested at: it is promoted when its evidence reaches one over it.
   *
   * @param night from 1
   * @param promoted nights before it that were promoted
   */
  public static double level(int night, int promoted, double alpha) {
    return alpha * weight(night) * (promoted + 1);
  }

  /** Proportional to t^-1.6; sums to 1 over all nights. */
  static double weight(int night) {
    return Math.pow(night, -EXPONENT) / TOTAL;
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
