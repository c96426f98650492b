package io.knack.llm.vector.jdk;

import jdk.incubator.vector.FloatVector;

/**
 * Rows of a product's input as its kernels read them: in groups of eight, where registers suffice,
 * then of four, whose numbers lie side by side input after input; what is left over is read where
 * it lies. One object serves one thread.
 */
final class Inputs {
  /**
   * Whether vectors have 16 lanes, as with AVX-512: then there are 32 registers, into which 16
   * sums, two weights and eight factors fit, and a single row reads weights as fast as memory gives
   * them.
   */
  static final boolean LONG = FloatVector.SPECIES_PREFERRED.length() == 16;

  private final boolean eight;
  private float[] grouped = new float[0];

  /**
   * @param eight whether rows are taken by eight where so many are left
   */
  Inputs(boolean eight) {
    this.eight = eight;
  }

  /** Rows that are taken together where so many are left. */
  int group(int left) {
    return left >= 8 && eight ? 8 : left >= 4 ? 4 : 1;
  }

  /** Whether a product of so many rows copies weights to an array before it multiplies. */
  static boolean copiesWeights(int rows) {
    return rows >= 4 || !LONG;
  }

  /**
   * Lays out rows of x (rows, in).
   *
   * @return a group that begins with row r from r * in on; input k of its row j at group * k + j
   */
  float[] group(float[] x, int at, int in, int rows) {
    if (grouped.length < rows * in) {
      grouped = new float[rows * in];
    }
    float[] to = grouped;
    int group;
    for (int r = 0; (group = group(rows - r)) > 1; r += group) {
      for (int j = 0; j < group; j += 4) {
        four(x, at + (r + j) * in, in, to, r * in + j, group);
      }
    }
    return to;
  }

  private static void four(float[] x, int at, int in, float[] to, int toAt, int step) {
    int second = at + in;
    int third = second + in;
    int fourth = third + in;
    for (int k = 0; k < in; k++) {
      int p = toAt + k * step;
      to[p] = x[at + k];
      to[p + 1] = x[second + k];
      to[p + 2] = x[third + k];
      to[p + 3] = x[fourth + k];
    }
  }
}
