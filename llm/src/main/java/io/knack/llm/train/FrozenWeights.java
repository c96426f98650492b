package io.knack.llm.train;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** A base model's weights as {@link Slot#of} lists them, absent ones as empty tensors. */
public record FrozenWeights(List<NDArray> tensors) {
  public FrozenWeights {
    tensors = List.copyOf(tensors);
  }
}
