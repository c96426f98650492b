package io.knack.evaluator.gate;

import io.knack.contracts.Report.Evidence;
import io.knack.contracts.Report.SliceEvidence;
import io.knack.evaluator.statistics.BettingTest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the evidence of one round, problem by problem, and knows when to stop.
 *
 * <p>Costs are divided by each problem's cap, which is known before the problem is solved, so that
 * every row is at least -1 whatever the price book. The estimand is then the saving weighted by
 * 1/cap; caps differ only by the length of prompts. Not thread-safe.
 */
public final class SequentialGate {
  private final GatePolicy policy;
  private final int round;
  private final List<String> sliceNames;
  private final double baselineCap;
  private final BettingTest accuracy;
  private final BettingTest loss;
  private final BettingTest saving;
  private final BettingTest noSaving;
  private final BettingTest anchorLoss = BettingTest.harm(0);
  private final BettingTest[] slices;
  private final double logPromote;
  private final double logGiveUp;
  private final double logVeto;
  private long problems;
  private long discordant;
  private long differences;

  /**
   * @param round from 0, see {@link GatePolicy#alphaOfRound}
   * @param slices names of the slices that may veto, fixed before the first problem is seen
   * @param baselineCap the most that the baseline could spend on a problem, in units of the
   *     candidate's cap
   */
  public SequentialGate(GatePolicy policy, int round, List<String> slices, double baselineCap) {
    this.policy = policy;
    this.round = round;
    this.sliceNames = List.copyOf(slices);
    this.baselineCap = baselineCap;
    this.accuracy = BettingTest.accuracy(policy.margin());
    this.loss = BettingTest.harm(policy.margin());
    this.saving = BettingTest.cost(1);
    this.noSaving = BettingTest.cost((1 - policy.leastSaving()) * baselineCap);
    this.slices = new BettingTest[slices.size()];
    for (int i = 0; i < this.slices.length; i++) {
      this.slices[i] = BettingTest.harm(0);
    }
    this.logPromote = -Math.log(policy.alphaOfRound(round));
    this.logGiveUp = -Math.log(policy.futilityAlpha());
    this.logVeto = -Math.log(policy.harmAlphaOf(slices.size() + 1));
  }

  /**
   * The next problem of the shuffled holdout.
   *
   * @param memberOf positions of the slices that it belongs to
   */
  public void observe(Paired pair, int... memberOf) {
    // What is above its cap is cut down on the baseline's side, which only makes the test stricter.
    double base = Math.min(pair.baselineCost() / pair.candidateCap(), baselineCap);
    double cost = pair.candidateCost() / pair.candidateCap();
    double y = (1 - policy.leastSaving()) * base - cost;
    int d = pair.difference();
    saving.observe(y);
    noSaving.observe(-y);
    accuracy.observe(d + policy.margin());
    loss.observe(-(d + policy.margin()));
    for (int slice : memberOf) {
      slices[slice].observe(-d);
    }
    problems++;
    discordant += d == 0 ? 0 : 1;
    differences += d;
  }

  /** A problem of the anchor set: harm there vetoes. */
  public void observeAnchor(Paired pair) {
    anchorLoss.observe(-pair.difference());
  }

  /** True when more problems would not change the verdict. */
  public boolean settled() {
    return problems >= policy.leastProblems() && (proved() || vetoed() || futile());
  }

  boolean proved() {
    return accuracy.peakLogE() >= logPromote && saving.peakLogE() >= logPromote;
  }

  boolean futile() {
    return loss.peakLogE() >= logGiveUp || noSaving.peakLogE() >= logGiveUp;
  }

  boolean vetoed() {
    if (anchorLoss.peakLogE() >= logVeto) {
      return true;
    }
    return harmed() >= 0;
  }

  /** Position of a slice with evidence of harm; -1 when there is none. */
  public int harmed() {
    for (int i = 0; i < slices.length; i++) {
      if (slices[i].peakLogE() >= logVeto) {
        return i;
      }
    }
    return -1;
  }

  public long problems() {
    return problems;
  }

  /** What was seen so far, for {@link Gate#decide}. */
  public Evidence evidence(@Nullable Double provedSaving) {
    List<SliceEvidence> harm = new ArrayList<>();
    for (int i = 0; i < slices.length; i++) {
      harm.add(new SliceEvidence(sliceNames.get(i), slices[i].rows(), slices[i].peakLogE()));
    }
    return new Evidence(
        round,
        policy.alphaOfRound(round),
        problems,
        accuracy.peakLogE(),
        saving.peakLogE(),
        noSaving.peakLogE(),
        loss.peakLogE(),
        anchorLoss.peakLogE(),
        anchorLoss.rows(),
        problems == 0 ? 0 : (double) discordant / problems,
        problems == 0 ? 0 : (double) differences / problems,
        provedSaving,
        harm);
  }
}
