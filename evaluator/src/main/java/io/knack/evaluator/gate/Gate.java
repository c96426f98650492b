package io.knack.evaluator.gate;

import io.knack.contracts.Report.Evidence;
import io.knack.contracts.Report.SliceEvidence;
import io.knack.contracts.Verdict;
import java.util.Locale;

/**
 * The rule that decides: a pure function of the evidence in a report and a policy.
 *
 * <p>Promotion needs accuracy and saving both proved at alpha. The null hypothesis is the union of
 * "accuracy falls by the margin" and "the saving is below the least"; under either its own process
 * reaches 1/alpha with probability at most alpha, so alpha is not split. A process that has once
 * reached its level has rejected its null for good: the peaks are compared. Harm (a slice, the
 * anchor set) vetoes first, proof comes second, futility third.
 */
public final class Gate {
  /** Rows needed are about this times 2 ln(1/alpha) q / mu^2 (simulated). */
  private static final double SLACK = 1.15;

  private static final long NEVER = 1_000_000_000L;

  private Gate() {}

  public static Verdict decide(Evidence seen, GatePolicy policy) {
    if (!complete(seen)) {
      return new Verdict.Hold("the evidence is incomplete or not finite");
    }
    double logVeto = -Math.log(policy.harmAlphaOf(seen.slices().size() + 1));
    if (seen.logAnchorLoss() >= logVeto) {
      return new Verdict.Hold("the anchor set is harmed");
    }
    for (SliceEvidence slice : seen.slices()) {
      if (slice.logHarm() >= logVeto) {
        return new Verdict.Hold("accuracy falls in the slice " + slice.slice());
      }
    }
    double level = -Math.log(policy.alphaOfRound(seen.round()));
    boolean accurate = seen.logAccuracy() >= level;
    boolean cheaper = seen.logSaving() >= level;
    if (seen.problems() < policy.leastProblems()) {
      return new Verdict.Insufficient(
          "fewer than " + policy.leastProblems() + " problems were looked at",
          Math.max(policy.leastProblems(), needed(seen, policy)));
    }
    if (seen.anchorProblems() < policy.leastAnchor()) {
      return new Verdict.Insufficient(
          "the anchor set has "
              + seen.anchorProblems()
              + " problems, the policy asks for "
              + policy.leastAnchor(),
          seen.problems());
    }
    if (accurate && cheaper) {
      return new Verdict.Promote(
          String.format(
              Locale.ROOT,
              "saves more than %.0f%% at an accuracy no lower than %.1f points below the baseline's",
              100 * (seen.provedSaving() == null ? policy.leastSaving() : seen.provedSaving()),
              100 * policy.margin()));
    }
    double giveUp = -Math.log(policy.futilityAlpha());
    if (seen.logNoSaving() >= giveUp) {
      return new Verdict.Hold(
          String.format(
              Locale.ROOT,
              "saves less than %.0f%%, all costs counted",
              100 * policy.leastSaving()));
    }
    if (seen.logLoss() >= giveUp) {
      return new Verdict.Hold(
          String.format(
              Locale.ROOT, "accuracy falls by more than %.1f points", 100 * policy.margin()));
    }
    String open = accurate ? "the saving" : cheaper ? "accuracy" : "accuracy and saving";
    return new Verdict.Insufficient(open + " not settled", needed(seen, policy));
  }

  /**
   * Problems in all that would settle it, either way, if what was seen goes on. Accuracy decides:
   * the number grows with discordance / (difference + margin)^2.
   */
  static long needed(Evidence seen, GatePolicy policy) {
    double level = -Math.log(policy.alphaOfRound(seen.round()));
    double rows = 0;
    if (seen.logAccuracy() < level) {
      // A prior of 50 problems at 5% discordance and no difference steadies the first estimates.
      double n = seen.problems();
      double discordance = (2.5 + seen.discordance() * n) / (50 + n);
      double mean = policy.margin() + seen.meanDifference() * n / (50 + n);
      double logs = mean > 0 ? level : -Math.log(policy.futilityAlpha());
      rows = SLACK * 2 * logs * (discordance + mean * mean) / (mean * mean);
    }
    if (seen.logSaving() < level) {
      double best = Math.max(seen.logSaving() / level, seen.logNoSaving() / level);
      rows = Math.max(rows, best > 0 ? seen.problems() / best : 10.0 * seen.problems());
    }
    return (long) Math.min(NEVER, Math.max(Math.ceil(rows), seen.problems() + 1.0));
  }

  private static boolean complete(Evidence seen) {
    return Double.isFinite(seen.logAccuracy())
        && Double.isFinite(seen.logSaving())
        && Double.isFinite(seen.logNoSaving())
        && Double.isFinite(seen.logLoss())
        && Double.isFinite(seen.logAnchorLoss())
        && seen.slices().stream().allMatch(slice -> Double.isFinite(slice.logHarm()));
  }
}
