package io.knack.contracts;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Range;

/**
 * Turns a {@link Budget} into one all-in cost. Prices are in the user's currency, per million where
 * the name says so; the defaults are the usual ratios of hosted models (an output token costs four
 * input tokens, a cached input token a tenth).
 */
public record PriceBook(
    @Default("0.25") @Range(min = 0) double perMillionPromptTokens,
    @Default("0.025") @Range(min = 0) double perMillionCachedPromptTokens,
    @Default("1.0") @Range(min = 0) double perMillionCompletionTokens,
    @Default("0.5") @Range(min = 0) double perMillionJudgeTokens,
    @Default("0.001") @Range(min = 0) double perThousandVerifierCalls,
    @Default("0.0001") @Range(min = 0) double perRetrievalSecond) {
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
