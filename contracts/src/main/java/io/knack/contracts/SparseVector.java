package io.knack.contracts;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;

/**
 * A vector by its non-zero entries. A dense vector of n entries has the indices 0 to n-1.
 *
 * <p>Both lists lie over arrays, so that a vector takes eight bytes an entry.
 *
 * @param indices ascending
 */
public record SparseVector(List<Integer> indices, List<Float> values) {
  public static final SparseVector EMPTY = new SparseVector(List.of(), List.of());

  public SparseVector {
    indices = Ints.of(indices);
    values = Floats.of(values);
    if (indices.size() != values.size()) {
      throw new IllegalArgumentException(
          "a vector needs as many values as indices, found "
              + values.size()
              + " and "
              + indices.size());
    }
  }

  /** A vector over copies of the arrays. */
  public static SparseVector of(int[] indices, float[] values) {
    return new SparseVector(new Ints(indices.clone()), new Floats(values.clone()));
  }

  /** The sum of the products of entries with the same index, in their order. */
  public double dot(SparseVector other) {
    int[] left = ((Ints) indices).entries;
    int[] right = ((Ints) other.indices).entries;
    float[] mine = ((Floats) values).entries;
    float[] theirs = ((Floats) other.values).entries;
    double sum = 0;
    int i = 0;
    int j = 0;
    while (i < left.length && j < right.length) {
      int a = left[i];
      int b = right[j];
      if (a == b) {
        sum += (double) mine[i] * theirs[j];
      }
      // Without a branch: which of the two lies behind cannot be foretold.
      i += a <= b ? 1 : 0;
      j += b <= a ? 1 : 0;
    }
    return sum;
  }

  private static final class Ints extends AbstractList<Integer> implements RandomAccess {
    private final int[] entries;

    private Ints(int[] entries) {
      this.entries = entries;
    }

    static Ints of(List<Integer> list) {
      return list instanceof Ints ints
          ? ints
          : new Ints(list.stream().mapToInt(Integer::intValue).toArray());
    }

    @Override
    public Integer get(int index) {
      return entries[index];
    }

    @Override
    public int size() {
      return entries.length;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Ints ints
          ? Arrays.equals(entries, ints.entries)
          : super.equals(other);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(entries);
    }
  }

  private static final class Floats extends AbstractList<Float> implements RandomAccess {
    private final float[] entries;

    private Floats(float[] entries) {
      this.entries = entries;
    }

    static Floats of(List<Float> list) {
      if (list instanceof Floats floats) {
        return floats;
      }
      float[] entries = new float[list.size()];
      int next = 0;
      for (float entry : list) {
        entries[next++] = entry;
      }
      return new Floats(entries);
    }

    @Override
    public Float get(int index) {
      return entries[index];
    }

    @Override
    public int size() {
      return entries.length;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Floats floats
          ? Arrays.equals(entries, floats.entries)
          : super.equals(other);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(entries);
    }
  }
}
