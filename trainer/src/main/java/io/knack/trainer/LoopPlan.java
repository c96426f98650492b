package io.knack.trainer;

import io.knack.llm.train.AdamW;

/**
 * How every lane is trained.
 *
 * @param microTokens rows of a micro-batch at most, but for a single longer sequence
 * @param dropout of LoRA's inputs
 * @param checkpointEvery steps; 0 for none
 * @param recompute keep only layer inputs for the backward pass
 * @param maxSkipped steps of one lane with a loss or gradient that is not finite, before giving up
 * @param validateEvery steps, {@link #EACH_EPOCH} or {@link #NEVER}
 * @param patience validations without a better loss after which a lane stops; 0 for never
 */
public record LoopPlan(
    double learningRate,
    Schedule schedule,
    long warmupSteps,
    AdamW optimizer,
    int microTokens,
    double dropout,
    long checkpointEvery,
    boolean recompute,
    int maxSkipped,
    long validateEvery,
    int patience,
    long seed) {
  static final long NEVER = 0;
  static final long EACH_EPOCH = -1;
}
