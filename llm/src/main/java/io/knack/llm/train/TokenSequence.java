package io.knack.llm.train;

import java.util.Objects;

/**
 * One tokenized example.
 *
 * @param weights parallel to {@code ids}: how much the loss on predicting this token counts; the
 *     first is never predicted
 * @param adapter row of the adapter that learns it; 0 in full training
 */
@SuppressWarnings("ArrayRecordComponent")
public record TokenSequence(int[] ids, float[] weights, int adapter) {
  public TokenSequence {
    if (ids.length < 2 || weights.length != ids.length) {
      throw new IllegalArgumentException(
          "a sequence needs two tokens and one weight each; found "
              + ids.length
              + " and "
              + weights.length);
    }
  }

  public int length() {
    return ids.length;
  }

  /** Sum of the weights that count. */
  public double weight() {
    double sum = 0;
    for (int i = 1; i < weights.length; i++) {
      sum += weights[i];
    }
    return sum;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenSequence that
        && adapter == that.adapter
        && java.util.Arrays.equals(ids, that.ids)
        && java.util.Arrays.equals(weights, that.weights);
  }

  @Override
  public int hashCode() {
    return Objects.hash(java.util.Arrays.hashCode(ids), adapter);
  }
}
