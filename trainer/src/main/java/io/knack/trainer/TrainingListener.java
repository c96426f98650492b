package io.knack.trainer;

/** Hears of a training run; called on the training thread. */
public interface TrainingListener {
  TrainingListener NONE = new TrainingListener() {};

  /** Before the first step: where it trains and the memory it will take, in words. */
  default void planned(String words) {}

  default void step(StepReport report) {}

  /** Mean loss in nats on the lane's validation part, after {@code step} steps. */
  default void validated(String lane, long step, double loss) {}

  /** A lane ended before its last step, because validation did not get better. */
  default void stoppedEarly(String lane, long step, double bestLoss) {}

  /** A checkpoint of all lanes is on disk. */
  default void checkpointed(long step) {}

  /** Asked between steps; true saves a checkpoint and ends the run. */
  default boolean stopRequested() {
    return false;
  }
}
