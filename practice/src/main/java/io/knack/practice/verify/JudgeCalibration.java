package io.knack.practice.verify;

import java.util.List;

/**
 * Where to draw the line between right and wrong.
 *
 * @param threshold a judgement at or above it is right
 * @param accuracy mean of the shares of right and of wrong answers that are told so, each by a
 *     threshold that was found without it: a threshold fits the answers that it was chosen on, a
 *     judge who guesses not excepted
 */
record JudgeCalibration(double threshold, double accuracy) {
  private static final int FOLDS = 5;

  /** Threshold and accuracy for judgements of known answers. */
  static JudgeCalibration of(List<KnownAnswer> known, List<Double> judgements) {
    int[] fold = new int[known.size()];
    int[] seen = new int[2];
    for (int i = 0; i < fold.length; i++) {
      fold[i] = seen[known.get(i).right() ? 1 : 0]++ % FOLDS;
    }
    Tally all = new Tally();
    for (int left = 0; left < FOLDS; left++) {
      double threshold = threshold(known, judgements, fold, left);
      for (int i = 0; i < fold.length; i++) {
        if (fold[i] == left) {
          all.add(known.get(i).right(), judgements.get(i), threshold);
        }
      }
    }
    return new JudgeCalibration(threshold(known, judgements, fold, -1), all.accuracy());
  }

  /** The best one, the higher one among equals, without the answers of one fold. */
  private static double threshold(
      List<KnownAnswer> known, List<Double> judgements, int[] fold, int left) {
    double best = 1;
    double bestAccuracy = 0;
    for (int step = 9; step >= 1; step--) {
      double threshold = step / 9.0 - 1e-9;
      Tally tally = new Tally();
      for (int i = 0; i < fold.length; i++) {
        if (fold[i] != left) {
          tally.add(known.get(i).right(), judgements.get(i), threshold);
        }
      }
      if (tally.accuracy() > bestAccuracy + 1e-12) {
        bestAccuracy = tally.accuracy();
        best = threshold;
      }
    }
    return best;
  }

  /** Wrong and right answers, and how many of each were told so. */
  private static final class Tally {
    private final int[] count = new int[2];
    private final int[] told = new int[2];

    void add(boolean right, double judgement, double threshold) {
      int at = right ? 1 : 0;
      count[at]++;
      told[at] += (judgement >= threshold) == right ? 1 : 0;
    }

    double accuracy() {
      return count[0] == 0 || count[1] == 0
          ? 0
          : ((double) told[0] / count[0] + (double) told[1] / count[1]) / 2;
    }
  }
}
