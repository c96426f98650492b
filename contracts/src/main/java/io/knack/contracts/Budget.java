package io.knack.contracts;

/**
 * What was spent on solving one problem, everything counted.
 *
 * @param promptTokens prompt tokens sent, cached ones included
 * @param cachedPromptTokens the part of them served from a prefix cache
 * @param completionTokens tokens generated, cancelled ones included
 * @param units the method's own unit in the SpeedupLLM paper: samples, nodes, rounds or tokens
 * @param judgeTokens prompt and completion tokens of judge calls
 */
public record Budget(
    long promptTokens,
    long cachedPromptTokens,
    long completionTokens,
    long units,
    long verifierCalls,
    long judgeCalls,
    long judgeTokens,
    long retrievalMicros,
    long wallMicros) {
  public static final Budget ZERO = new Budget(0, 0, 0, 0, 0, 0, 0, 0, 0);

  public Budget plus(Budget other) {
    return new Budget(
        promptTokens + other.promptTokens,
        cachedPromptTokens + other.cachedPromptTokens,
        completionTokens + other.completionTokens,
        units + other.units,
        verifierCalls + other.verifierCalls,
        judgeCalls + other.judgeCalls,
        judgeTokens + other.judgeTokens,
        retrievalMicros + other.retrievalMicros,
        wallMicros + other.wallMicros);
  }
}
