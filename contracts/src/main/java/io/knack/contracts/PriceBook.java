package io.knack.contracts;

/**
 * Turns a {@link Budget} into one all-in cost. Prices are in the user's currency, per million where
 * the name says so; the defaults are the usual ratios of hosted models (an output token costs four
 * input tokens, a cached input token a tenth).
 */
public record PriceBook(
    double perMillionPromptTokens,
    double perMillionCachedPromptTokens,
    double perMillionCompletionTokens,
    double perMillionJudgeTokens,
    double perThousandVerifierCalls,
    double perRetrievalSecond) {
  public static final PriceBook DEFAULT = new PriceBook(0.25, 0.025, 1.0, 0.5, 0.001, 0.0001);

  /** All-in cost, in the currency of the prices. */
  public double cost(Budget budget) {
    return (budget.promptTokens() - budget.cachedPromptTokens()) * perMillionPromptTokens / 1e6
        + budget.cachedPromptTokens() * perMillionCachedPromptTokens / 1e6
        + budget.completionTokens() * perMillionCompletionTokens / 1e6
        + budget.judgeTokens() * perMillionJudgeTokens / 1e6
        + budget.verifierCalls() * perThousandVerifierCalls / 1e3
        + budget.retrievalMicros() * perRetrievalSecond / 1e6;
  }
}
