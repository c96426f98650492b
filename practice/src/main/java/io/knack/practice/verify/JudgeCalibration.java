package io.knack.practice.verify;

import java.util.List;

/**
 * Where to draw the line between right and wrong.
 *
 * @param threshold a judgement at or above it is right
 * @param accuracy mean of the shares of right and of wrong answers that are told so
 */
record JudgeCalibration(double threshold, double accuracy) {

  /** An answer whose outcome is known. */
  record Known(Check check, boolean right) {}

  /** The best threshold for judgements of known answers; the higher one among equals. */
  static JudgeCalibration of(List<Known> known, List<Double> judgements) {
    JudgeCalibration best = new JudgeCalibration(1, 0);
    for (int step = 9; step >= 1; step--) {
      double threshold = step / 9.0;
      int[] count = new int[2];
      int[] told = new int[2];
      for (int i = 0; i < known.size(); i++) {
        boolean right = known.get(i).right();
        int at = right ? 1 : 0;
        count[at]++;
        told[at] += (judgements.get(i) >= threshold - 1e-9) == right ? 1 : 0;
      }
      double accuracy =
          count[0] == 0 || count[1] == 0
              ? 0
              : ((double) told[0] / count[0] + (double) told[1] / count[1]) / 2;
      if (accuracy > best.accuracy() + 1e-12) {
        best = new JudgeCalibration(threshold - 1e-9, accuracy);
      }
    }
    return best;
  }
}
