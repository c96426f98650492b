package io.knack.llm;

import org.jspecify.annotations.Nullable;

/**
 * One prompt and how many samples of it.
 *
 * @param adapter name of a loaded adapter; null for the base model
 * @param samples at least 1; they share the prompt's computation
 */
public record GenerationRequest(
    Prompt prompt, @Nullable String adapter, int samples, Sampling sampling) {}
