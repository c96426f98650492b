package io.knack.llm.local;

import java.util.List;

/** Decodes one token for every running row. */
interface TokenStep {
  /**
   * Decodes; row i's keys and values lie in row i of the cache.
   *
   * @param changed whether the rows are others than at the last step
   * @return token (-1 where logits are not all finite) and log-probability of each row, in turns
   */
  double[] step(List<Row> rows, boolean changed);

  /** No row runs any more: lets go of what was kept for them. */
  default void rest() {}
}
