package io.knack.llm;

import org.jspecify.annotations.Nullable;

/**
 * One prompt and how many samples of it.
 *
 * @param adapter name of a loaded adapter; null for the base model
 * @param samples at least 1; they share the prompt's computation
 * @param repeats whether the caller has asked this prompt before, for the same problem. A model in
 *     this process then books the prompt as cached, as a serving engine with a prefix cache does,
 *     whether or not its own cache was still there: what it books must not depend on who answered
 *     first. An endpoint books what it reports.
 */
public record GenerationRequest(
    Prompt prompt, @Nullable String adapter, int samples, Sampling sampling, boolean repeats) {

  /** A prompt that was not asked before. */
  public GenerationRequest(
      Prompt prompt, @Nullable String adapter, int samples, Sampling sampling) {
    this(prompt, adapter, samples, sampling, false);
  }
}
