package io.knack.practice.solve;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.practice.prompt.PromptForm;

/** How much a solver may spend on one problem. A plan's section. */
public record SolverOptions(
    @Default("instruct") @Doc("form of the prompts: instruct, or short for the sandbox's model")
        PromptForm form,
    @Default("1.0") @Range(min = 0, max = 1) @Doc("stop at the first answer that scores this")
        double tau,
    @Default("16") @Range(min = 1, max = 4096) @Doc("best_of_n: answers at most") int maxSamples,
    @Default("1")
        @Range(min = 1, max = 4096)
        @Doc("best_of_n: answers asked for at once; more is sooner, and wastes what was not needed")
        int waveSize,
    @Default("256") @Range(min = 1, max = 131072) @Doc("tokens of one answer at most")
        int maxTokens,
    @Default("1.0") @Range(min = 0, max = 2) double temperature,
    @Default("1.0") @Range(min = 0.01, max = 1) double topP,
    @Default("0") @Range(min = 0) @Doc("0 is off") int topK,
    @Default("8") @Range(min = 1, max = 256) @Doc("self_refine: answers at most") int rounds,
    @Default("2") @Range(min = 0, max = 64) @Doc("self_refine: failed attempts shown at most")
        int history,
    @Default("3") @Range(min = 1, max = 64) @Doc("tree_of_thoughts: thoughts asked for at a node")
        int branching,
    @Default("12") @Range(min = 1, max = 256) @Doc("tree_of_thoughts: thoughts in a row at most")
        int depth,
    @Default("32") @Range(min = 1, max = 65536) @Doc("tree_of_thoughts: nodes expanded at most")
        int maxNodes,
    @Default("0.3")
        @Range(min = 0, max = 1)
        @Doc("tree_of_thoughts: a thought valued below this is pruned")
        double valueThreshold,
    @Default("1024") @Range(min = 1, max = 1048576) @Doc("long_cot: tokens of the chain at most")
        int chainTokens) {

  /** The defaults of the annotations, for code. */
  public static SolverOptions defaults(PromptForm form) {
    return new SolverOptions(form, 1.0, 16, 1, 256, 1.0, 1.0, 0, 8, 2, 3, 12, 32, 0.3, 1024);
  }

  public SolverOptions withMaxSamples(int samples) {
    return with(samples, waveSize, maxTokens, valueThreshold);
  }

  public SolverOptions withWaveSize(int size) {
    return with(maxSamples, size, maxTokens, valueThreshold);
  }

  public SolverOptions withMaxTokens(int tokens) {
    return with(maxSamples, waveSize, tokens, valueThreshold);
  }

  public SolverOptions withValueThreshold(double threshold) {
    return with(maxSamples, waveSize, maxTokens, threshold);
  }

  private SolverOptions with(int samples, int wave, int tokens, double threshold) {
    return new SolverOptions(
        form,
        tau,
        samples,
        wave,
        tokens,
        temperature,
        topP,
        topK,
        rounds,
        history,
        branching,
        depth,
        maxNodes,
        threshold,
        chainTokens);
  }
}
