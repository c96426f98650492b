package io.knack.trainer;

/**
 * One optimizer step of one lane.
 *
 * @param step from 1
 * @param loss mean over the step's weighted tokens, in nats, before the step
 * @param gradNorm before clipping
 * @param tokens read in this step by this lane
 * @param tokensPerSecond of all lanes together in this step
 * @param skipped nothing was learnt: loss or gradient was not finite
 */
public record StepReport(
    String lane,
    long step,
    long steps,
    double loss,
    double learningRate,
    double gradNorm,
    long tokens,
    double tokensPerSecond,
    boolean skipped) {}
