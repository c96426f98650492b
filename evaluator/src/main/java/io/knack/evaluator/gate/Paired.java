package io.knack.evaluator.gate;

/**
 * One problem, answered by both sides under the same method, seed and cap.
 *
 * @param baselineCost all-in
 * @param candidateCost all-in, at most candidateCap
 * @param candidateCap the most that the candidate could have spent on this problem, known before it
 *     was solved
 */
public record Paired(
    double baselineCost,
    double candidateCost,
    double candidateCap,
    boolean baselinePassed,
    boolean candidatePassed) {

  /**
   * Faults count against the candidate: its own as a wrong answer at full cost, the baseline's as a
   * right answer at what it had spent. So does a candidate that broke its cap.
   */
  public static Paired of(
      double baselineCost,
      double candidateCost,
      double candidateCap,
      boolean baselinePassed,
      boolean candidatePassed,
      boolean baselineFault,
      boolean candidateFault) {
    boolean fault = candidateFault || candidateCost > candidateCap;
    return new Paired(
        baselineCost,
        fault ? candidateCap : candidateCost,
        candidateCap,
        baselineFault || baselinePassed,
        !fault && candidatePassed);
  }

  /** -1, 0 or 1. */
  public int difference() {
    return (candidatePassed ? 1 : 0) - (baselinePassed ? 1 : 0);
  }
}
