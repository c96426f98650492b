package io.knack.practice.route;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Finds floor and margin of a trigger on validation problems: of those that let at most a given
 * share of the firings be misfires, the ones that fire most often on the cluster's own problems.
 *
 * @param floor least similarity
 * @param margin least lead over the runner-up
 * @param recall share of own problems on which it fires
 * @param misfires share of its firings that are on other problems
 */
public record TriggerCalibration(double floor, double margin, double recall, double misfires) {

  /**
   * A validation problem as the router saw it.
   *
   * @param similarity to this cluster's centroid
   * @param runnerUp to the nearest other cluster's
   * @param own whether it belongs to this cluster
   */
  public record Seen(double similarity, double runnerUp, boolean own) {}

  /**
   * @param maxMisfires largest share of misfires among firings, in [0, 1]
   * @return a trigger; one that never fires when none keeps the bound, its recall 0
   */
  public static TriggerCalibration of(List<Seen> seen, double maxMisfires) {
    long own = seen.stream().filter(Seen::own).count();
    TriggerCalibration best = new TriggerCalibration(1.01, 1.01, 0, 0);
    for (double margin : List.of(0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)) {
      List<Seen> led = new ArrayList<>();
      TreeSet<Double> floors = new TreeSet<>();
      for (Seen s : seen) {
        if (s.similarity() - s.runnerUp() >= margin) {
          led.add(s);
          floors.add(s.similarity());
        }
      }
      led.sort((a, b) -> Double.compare(b.similarity(), a.similarity()));
      int at = 0;
      long right = 0;
      long wrong = 0;
      for (double floor : floors.descendingSet()) {
        while (at < led.size() && led.get(at).similarity() >= floor) {
          if (led.get(at++).own()) {
            right++;
          } else {
            wrong++;
          }
        }
        double misfires = (double) wrong / (right + wrong);
        double recall = own == 0 ? 0 : (double) right / own;
        if (misfires <= maxMisfires
            && (recall > best.recall()
                || (recall == best.recall() && recall > 0 && misfires < best.misfires()))) {
          best = new TriggerCalibration(between(floor, floors), margin, recall, misfires);
        }
      }
    }
    return best;
  }

  /** Half-way down to the next lower similarity: no sharper than the data. */
  private static double between(double floor, TreeSet<Double> floors) {
    Double lower = floors.lower(floor);
    return lower == null ? Math.max(0, floor - 0.05) : Math.max(floor - 0.05, (floor + lower) / 2);
  }
}
