package io.knack.contracts;

import java.util.List;

/**
 * A vector by its non-zero entries. A dense vector of n entries has the indices 0 to n-1.
 *
 * @param indices ascending
 */
public record SparseVector(List<Integer> indices, List<Float> values) {
  public static final SparseVector EMPTY = new SparseVector(List.of(), List.of());

  public SparseVector {
    indices = List.copyOf(indices);
    values = List.copyOf(values);
    if (indices.size() != values.size()) {
      throw new IllegalArgumentException(
          "a vector needs as many values as indices, found "
              + values.size()
              + " and "
              + indices.size());
    }
  }
}
