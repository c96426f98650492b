package io.knack.evaluator.measure;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * The tightest trigger that keeps a given share of a cluster's own problems; for a cluster with key
 * words ({@link KeyWords}), the loosest.
 *
 * <p>What was seen seldom holds the traps that matter most: problems with the looks of a known
 * cluster and other knowledge behind them. A floor that merely parts what was seen lies far below
 * the cluster's own problems and lets such traps in. This fit therefore spends the whole share of
 * own problems that may be lost on being tight: among all pairs of floor and margin that keep
 * enough, it takes those with the fewest misfires, and of these the one with the highest floor.
 * Where even that misfires too often, it tightens further and gives up recall.
 *
 * @param floor least similarity to the centroid
 * @param margin least lead over the runner-up
 * @param recall share of own problems on which it fires
 * @param misfires share of unlike problems on which it fires
 */
public record TriggerFit(double floor, double margin, double recall, double misfires) {
  private static final int CANDIDATES = 40;

  /** Fires never: what a cluster without problems gets. */
  static final TriggerFit NEVER = new TriggerFit(1, 1, 0, 0);

  /**
   * A validation problem beside a cluster.
   *
   * @param similarity to the cluster's centroid
   * @param lead over the nearest other cluster; negative when another is nearer
   */
  public record Seen(double similarity, double lead) {}

  /**
   * @param own problems of the cluster
   * @param unlike problems of other clusters and of none
   */
  public static TriggerFit of(List<Seen> own, List<Seen> unlike, EvaluatePlan.Triggers limits) {
    if (own.isEmpty()) {
      return NEVER;
    }
    TriggerFit best = NEVER;
    for (double floor : levels(own.stream().mapToDouble(Seen::similarity).toArray())) {
      for (double margin : levels(own.stream().mapToDouble(s -> Math.max(0, s.lead())).toArray())) {
        TriggerFit fit =
            new TriggerFit(floor, margin, share(own, floor, margin), share(unlike, floor, margin));
        if (better(fit, best, limits)) {
          best = fit;
        }
      }
    }
    return best;
  }

  /**
   * For a cluster with key words: the loosest floor that holds misfires down, since the words tell
   * the cluster's problems from others, and a new structure under the same name is less like the
   * centroid than anything seen. Never below half of what nearly all own problems reach, so that a
   * name that is merely mentioned does not fire.
   *
   * @param own likeness of own problems that say the key words
   * @param owned own problems in all
   * @param unlike likeness of other problems that say them
   * @param strange other problems in all
   */
  static TriggerFit named(
      List<Double> own, int owned, List<Double> unlike, int strange, EvaluatePlan.Triggers limits) {
    if (own.isEmpty()) {
      return NEVER;
    }
    List<Double> sorted = own.stream().sorted().toList();
    double floor = sorted.get((int) ((1 - limits.keep()) * (sorted.size() - 1))) / 2;
    int allowed = (int) (limits.misfires() * strange);
    if (unlike.size() > allowed) {
      double wrong = unlike.stream().sorted(Comparator.reverseOrder()).toList().get(allowed);
      floor = Math.max(floor, Math.nextUp(wrong));
    }
    double least = floor;
    return new TriggerFit(
        floor,
        0,
        (double) own.stream().filter(s -> s >= least).count() / owned,
        strange == 0 ? 0 : (double) unlike.stream().filter(s -> s >= least).count() / strange);
  }

  /** Whether it may be used at all. */
  boolean usable(EvaluatePlan.Triggers limits) {
    return recall >= limits.leastRecall() && misfires <= limits.misfires();
  }

  private static boolean better(TriggerFit fit, TriggerFit best, EvaluatePlan.Triggers limits) {
    boolean holds = fit.misfires <= limits.misfires();
    boolean bestHolds = best.misfires <= limits.misfires() && best.recall > 0;
    if (holds != bestHolds) {
      return holds;
    }
    boolean keeps = fit.recall >= limits.keep();
    boolean bestKeeps = best.recall >= limits.keep();
    if (keeps != bestKeeps) {
      return keeps;
    }
    if (!keeps && fit.recall != best.recall) {
      return fit.recall > best.recall;
    }
    if (fit.misfires != best.misfires) {
      return fit.misfires < best.misfires;
    }
    return fit.floor + fit.margin > best.floor + best.margin;
  }

  private static double share(List<Seen> seen, double floor, double margin) {
    if (seen.isEmpty()) {
      return 0;
    }
    long fired = seen.stream().filter(s -> s.similarity() >= floor && s.lead() >= margin).count();
    return (double) fired / seen.size();
  }

  /** Half-way between neighbouring values, and just below the lowest: no sharper than the data. */
  private static List<Double> levels(double[] values) {
    TreeSet<Double> distinct = new TreeSet<>();
    for (double value : values) {
      distinct.add(value);
    }
    List<Double> sorted = new ArrayList<>(distinct);
    List<Double> levels = new ArrayList<>();
    levels.add(Math.max(0, sorted.get(0) * 0.98));
    int step = Math.max(1, sorted.size() / CANDIDATES);
    for (int i = step; i < sorted.size(); i += step) {
      levels.add((sorted.get(i - 1) + sorted.get(i)) / 2);
    }
    return levels;
  }
}
