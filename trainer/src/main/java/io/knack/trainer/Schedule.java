package io.knack.trainer;

/** How the learning rate moves, as in transformers' schedules of these names. */
public enum Schedule {
  COSINE,
  LINEAR,
  CONSTANT;

  /**
   * The factor on the learning rate: up linearly from 0 over the warm-up, then along the curve to 0
   * at the last step.
   *
   * @param step from 0
   */
  public double factor(long step, long warmupSteps, long steps) {
    if (step < warmupSteps) {
      return (double) step / Math.max(1, warmupSteps);
    }
    double progress = (double) (step - warmupSteps) / Math.max(1, steps - warmupSteps);
    return switch (this) {
      case COSINE -> Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
      case LINEAR -> Math.max(0, 1 - progress);
      case CONSTANT -> 1;
    };
  }
}
