package io.knack.practice.verify;

import io.knack.contracts.Budget;
import io.knack.contracts.VerifierSpec;

/**
 * How a judge did on answers whose outcome is known.
 *
 * @param accuracy mean of the shares of right and of wrong answers that it told so, each by a
 *     threshold that was found without it
 * @param leastAccuracy below which nothing may rely on it
 * @param cost of the trial
 * @param spec the judge as later stages take it: it names its model, its threshold and its
 *     accuracy, and needs no more calibration
 */
public record JudgeTrial(double accuracy, double leastAccuracy, Budget cost, VerifierSpec spec) {
  public boolean passed() {
    return accuracy >= leastAccuracy;
  }
}
