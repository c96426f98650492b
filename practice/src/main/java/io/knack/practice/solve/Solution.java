package io.knack.practice.solve;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of one task.
 *
 * @param passed whether an answer reached tau
 * @param score of {@code answer}, in [0, 1]
 * @param answer the first that passed, else the best; empty when there was none
 * @param attempts every answer that counted, in order; those that a wave produced beyond the one
 *     that passed are in the waste
 * @param budget all that was spent, waste included; its units are those of the paper's sequential
 *     method
 * @param waste what was generated and not needed: a part of {@code budget}
 * @param fault why the task could not be finished or an answer not be checked; null when all was
 *     well or it passed nevertheless
 */
public record Solution(
    String taskId,
    boolean passed,
    double score,
    String answer,
    List<Attempt> attempts,
    Budget budget,
    Waste waste,
    @Nullable String fault) {
  public Solution {
    attempts = List.copyOf(attempts);
  }

  /** Samples cancelled or overtaken, and their completion tokens. */
  public record Waste(long samples, long completionTokens) {
    public static final Waste NONE = new Waste(0, 0);
  }
}
