package io.knack.trainer;

import io.knack.llm.train.TokenSequence;
import java.util.List;

/**
 * What one row of a {@link io.knack.llm.train.TrainableDecoder} learns from: an adapter of many, or
 * all weights of a small model. Pure: the same step always gives the same batch, which is what
 * makes resuming exact.
 */
public interface Lane {
  String name();

  /** How many optimizer steps to take. */
  long steps();

  /**
   * The sequences of one optimizer step, all for this lane's row.
   *
   * @param step from 0
   */
  List<TokenSequence> batch(long step);

  /** Steps that see every example once; 0 where examples never end. */
  default long stepsPerEpoch() {
    return 0;
  }

  /** Held-out sequences for early stopping; may be empty. */
  default List<TokenSequence> validation() {
    return List.of();
  }
}
