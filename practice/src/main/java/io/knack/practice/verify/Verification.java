package io.knack.practice.verify;

import io.knack.contracts.Budget;
import org.jspecify.annotations.Nullable;

/**
 * What a verifier said of one answer.
 *
 * @param score in [0, 1]
 * @param reason for people
 * @param cost calls, judge tokens and time of this check
 * @param fault why the verifier could not say; the score is then 0. Null when it could.
 */
public record Verification(double score, String reason, Budget cost, @Nullable String fault) {
  public Verification {
    if (!(score >= 0 && score <= 1)) {
      throw new IllegalArgumentException("a score is in [0, 1], found " + score);
    }
  }

  public Verification(double score, String reason, Budget cost) {
    this(score, reason, cost, null);
  }
}
