package io.knack.llm;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are drawn.
 *
 * @param temperature 0 for greedy
 * @param topP in (0, 1]; 1 for off
 * @param topK 0 for off
 * @param stop strings that end a sample
 * @param seed null lets the implementation choose
 */
public record Sampling(
    int maxTokens,
    double temperature,
    double topP,
    int topK,
    List<String> stop,
    @Nullable Long seed,
    Logprobs logprobs) {

  /** Which log-probabilities to report. */
  public enum Logprobs {
    NONE,
    COMPLETION,
    PROMPT_AND_COMPLETION
  }

  public static Sampling greedy(int maxTokens) {
    return new Sampling(maxTokens, 0, 1, 0, List.of(), null, Logprobs.NONE);
  }

  public static Sampling seeded(int maxTokens, double temperature, long seed) {
    return new Sampling(maxTokens, temperature, 1, 0, List.of(), seed, Logprobs.NONE);
  }

  public Sampling withSeed(long newSeed) {
    return new Sampling(maxTokens, temperature, topP, topK, stop, newSeed, logprobs);
  }
}
