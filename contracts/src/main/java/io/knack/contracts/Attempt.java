package io.knack.contracts;

import org.jspecify.annotations.Nullable;

/**
 * One candidate answer that was produced while solving a problem.
 *
 * @param method solver that asked for it, as {@code best_of_n}; null when unknown
 * @param score in [0, 1]; null when nobody scored it
 */
public record Attempt(
    @Nullable String method,
    String text,
    long promptTokens,
    long cachedPromptTokens,
    long completionTokens,
    @Nullable Double score,
    Outcome outcome) {}
