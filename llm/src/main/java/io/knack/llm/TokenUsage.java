package io.knack.llm;

/**
 * What a request cost, the same for every implementation.
 *
 * @param promptTokens as billed: the prompt once per request
 * @param cachedPromptTokens the part of them that was served from a prefix cache
 * @param completionTokens of all samples, cancelled ones included
 * @param wallMicros from submit to the last sample
 */
public record TokenUsage(
    long promptTokens, long cachedPromptTokens, long completionTokens, long wallMicros) {
  public static final TokenUsage ZERO = new TokenUsage(0, 0, 0, 0);

  public TokenUsage plus(TokenUsage other) {
    return new TokenUsage(
        promptTokens + other.promptTokens,
        cachedPromptTokens + other.cachedPromptTokens,
        completionTokens + other.completionTokens,
        wallMicros + other.wallMicros);
  }
}
