package io.knack.evaluator.gate;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a candidate must prove. */
public record GatePolicy(
    @Doc("chance of promoting a night that must not be")
        @Default("0.01")
        @Range(min = 1e-6, max = 0.5)
        double alpha,
    @Doc("accuracy may be lower by less than this; 0.02 needs some 3,000 problems")
        @Default("0.03")
        @Range(min = 0.001, max = 0.5)
        double margin,
    @Doc("the all-in saving must be proved to be more than this share of the baseline's cost")
        @Default("0.10")
        @Range(min = 0, max = 0.95)
        double leastSaving,
    @Doc("chance of giving up on a candidate that is good")
        @Default("0.05")
        @Range(min = 1e-6, max = 0.5)
        double futilityAlpha,
    @Doc("chance that any slice, or the anchor set, vetoes without harm")
        @Default("0.05")
        @Range(min = 1e-6, max = 0.5)
        double harmAlpha,
    @Doc("no decision before so many problems") @Default("20") @Range(min = 1) int leastProblems,
    @Doc("problems of the anchor set below which nothing is promoted; 0 goes without one")
        @Default("10")
        @Range(min = 0)
        int leastAnchor) {

  /** The policy that ships. */
  public static final GatePolicy DEFAULT = new GatePolicy(0.01, 0.03, 0.10, 0.05, 0.05, 20, 10);

  /** Rounds at most: an entry that harms is dropped, and what is left is tested anew. */
  public static final int MAX_ROUNDS = 4;

  /** Share of alpha that the first round spends; each later one takes half of what is left. */
  private static final double FIRST_SHARE = 0.9;

  /**
   * The level of a round, from 0. Over all rounds at most {@link #alpha} is spent, so that starting
   * again on fresh problems, with a manifest chosen on problems seen before, keeps the error rate.
   */
  public double alphaOfRound(int round) {
    return round == 0 ? alpha * FIRST_SHARE : alpha * (1 - FIRST_SHARE) * Math.pow(0.5, round);
  }

  /** The same policy at another level. */
  public GatePolicy withAlpha(double level) {
    return new GatePolicy(
        level, margin, leastSaving, futilityAlpha, harmAlpha, leastProblems, leastAnchor);
  }

  /** The level of each of so many slices' vetoes. */
  public double harmAlphaOf(int slices) {
    return harmAlpha / Math.max(1, slices);
  }

  /** By the names of the plan. */
  public SortedMap<String, Double> limits() {
    return new TreeMap<>(
        Map.of(
            "alpha", alpha,
            "margin", margin,
            "least_saving", leastSaving,
            "futility_alpha", futilityAlpha,
            "harm_alpha", harmAlpha,
            "least_problems", (double) leastProblems,
            "least_anchor", (double) leastAnchor));
  }
}
