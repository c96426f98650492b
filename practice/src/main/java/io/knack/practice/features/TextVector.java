package io.knack.practice.features;

import io.knack.contracts.SparseVector;
import java.io.Serial;
import java.io.Serializable;
import java.util.Arrays;

/**
 * A text in a {@link HashedSpace}, in arrays: what mining computes with. Together the two blocks
 * have length one, or are empty.
 *
 * @param indices of hashed character n-grams, ascending
 * @param values one for each index
 * @param dense what the log taught about words and n-grams that keep company
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
public record TextVector(int[] indices, float[] values, float[] dense) implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  /** Cosine; may be negative, since the dense block may. */
  public double cosine(TextVector other) {
    return sparseDot(other) + denseDot(other);
  }

  public double denseDot(TextVector other) {
    float sum = 0;
    int width = Math.min(dense.length, other.dense.length);
    for (int i = 0; i < width; i++) {
      sum += dense[i] * other.dense[i];
    }
    return sum;
  }

  public double sparseDot(TextVector other) {
    float sum = 0;
    int i = 0;
    int j = 0;
    while (i < indices.length && j < other.indices.length) {
      int a = indices[i];
      int b = other.indices[j];
      if (a == b) {
        sum += values[i++] * other.values[j++];
      } else if (a < b) {
        i++;
      } else {
        j++;
      }
    }
    return sum;
  }

  /** The same vector in the form of the contract: the dense block follows the hashed one. */
  public SparseVector toSparse() {
    int entries = indices.length;
    for (float entry : dense) {
      entries += entry == 0 ? 0 : 1;
    }
    int[] at = Arrays.copyOf(indices, entries);
    float[] what = Arrays.copyOf(values, entries);
    int next = indices.length;
    for (int i = 0; i < dense.length; i++) {
      if (dense[i] != 0) {
        at[next] = HashedSpace.BUCKETS + i;
        what[next++] = dense[i];
      }
    }
    return SparseVector.of(at, what);
  }

  /** {@link #of(SparseVector, int)} with a dense block that ends at its last entry. */
  public static TextVector of(SparseVector vector) {
    int entries = vector.indices().size();
    int last = entries == 0 ? -1 : vector.indices().get(entries - 1);
    return of(vector, Math.max(0, last + 1 - HashedSpace.BUCKETS));
  }

  /** The inverse of {@link #toSparse}. */
  public static TextVector of(SparseVector vector, int denseWidth) {
    int hashed = 0;
    while (hashed < vector.indices().size() && vector.indices().get(hashed) < HashedSpace.BUCKETS) {
      hashed++;
    }
    int[] indices = new int[hashed];
    float[] values = new float[hashed];
    float[] dense = new float[denseWidth];
    for (int i = 0; i < vector.indices().size(); i++) {
      if (i < hashed) {
        indices[i] = vector.indices().get(i);
        values[i] = vector.values().get(i);
      } else {
        dense[vector.indices().get(i) - HashedSpace.BUCKETS] = vector.values().get(i);
      }
    }
    return new TextVector(indices, values, dense);
  }
}
