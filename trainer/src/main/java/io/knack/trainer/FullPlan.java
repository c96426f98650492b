package io.knack.trainer;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.llm.train.AdamW;

/** Training of all weights from random ones. */
public record FullPlan(
    @Doc("optimizer steps") @Default("1000") @Range(min = 1) long steps,
    @Doc("examples of one step") @Default("128") @Range(min = 1) int batchSize,
    @Doc("peak learning rate") @Default("0.002") @Range(min = 0) double learningRate,
    @Doc("cosine, linear or constant, after the warm-up") @Default("cosine") Schedule schedule,
    @Doc("steps of linear warm-up") @Default("100") @Range(min = 0) long warmupSteps,
    @Doc("of matrices") @Default("0.1") @Range(min = 0) double weightDecay,
    @Doc("AdamW") @Default("0.9") @Range(min = 0, max = 1) double beta1,
    @Doc("AdamW") @Default("0.95") @Range(min = 0, max = 1) double beta2,
    @Doc("AdamW") @Default("1e-8") @Range(min = 0) double epsilon,
    @Doc("global norm to clip at; 0 for none") @Default("1.0") @Range(min = 0) double maxGradNorm,
    @Doc("deviation of the first weights") @Default("0.02") @Range(min = 0) double initDeviation,
    @Doc("of passes: float32 or bfloat16; master weights are float32 always") @Default("float32")
        String dtype,
    @Doc("cpu or gpu:N") @Default("cpu") String device,
    @Doc("passes at the same time, one core each; 0 for one per core") @Default("0") @Range(min = 0)
        int workers,
    @Doc("rows of a micro-batch at most") @Default("2048") @Range(min = 16) int microTokens,
    @Doc("steps between checkpoints; 0 for none") @Default("200") @Range(min = 0)
        long checkpointEvery,
    @Doc("of first weights; data has its own") @Default("1") long seed) {

  LoopPlan loop() {
    return new LoopPlan(
        learningRate,
        schedule,
        warmupSteps,
        new AdamW(beta1, beta2, epsilon, weightDecay, maxGradNorm),
        microTokens,
        0,
        checkpointEvery,
        false,
        5,
        0,
        0,
        seed);
  }
}
