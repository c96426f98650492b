package io.knack.practice.features;

import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The leading right singular vectors of a sparse matrix by randomised subspace iteration (Halko,
 * Martinsson, Tropp, 2011). Seeded: the same matrix gives the same bits, whatever the number of
 * processors. Cost: {@code iterations * entries * rank} multiplications, and {@code columns *
 * rank^2} for each orthonormalisation.
 */
final class Subspace {
  private static final int OVERSAMPLING = 8;
  private static final int ITERATIONS = 4;
  private static final int PARTS = 4;

  /** Right singular vectors, row-major: {@code vectors[column * rank + r]}. */
  final float[] vectors; // (columns, rank)

  /** Singular values, descending. */
  final double[] values; // (rank)

  final int rank;

  private Subspace(float[] vectors, double[] values, int rank) {
    this.vectors = vectors;
    this.values = values;
    this.rank = rank;
  }

  /**
   * @param indices columns of each row's entries
   * @param entries values of each row's entries
   */
  static Subspace leading(int[][] indices, float[][] entries, int columns, int rank, long seed) {
    boolean[] used = new boolean[columns];
    for (int[] row : indices) {
      for (int column : row) {
        used[column] = true;
      }
    }
    int[] packed = new int[columns];
    int kept = 0;
    for (int c = 0; c < columns; c++) {
      packed[c] = used[c] ? kept++ : -1;
    }
    int[][] rows = new int[indices.length][];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = new int[indices[row].length];
      for (int e = 0; e < rows[row].length; e++) {
        rows[row][e] = packed[indices[row][e]];
      }
    }
    if (kept == 0) {
      return new Subspace(new float[columns], new double[1], 1);
    }
    Subspace found = packed(rows, entries, kept, rank, seed);
    float[] vectors = new float[columns * found.rank];
    for (int c = 0; c < columns; c++) {
      if (used[c]) {
        System.arraycopy(
            found.vectors, packed[c] * found.rank, vectors, c * found.rank, found.rank);
      }
    }
    return new Subspace(vectors, found.values, found.rank);
  }

  /** The same of a matrix in which every column has an entry. */
  private static Subspace packed(
      int[][] indices, float[][] entries, int columns, int rank, long seed) {
    int width = Math.min(columns, rank + OVERSAMPLING);
    float[] q = new float[columns * width]; // (columns, width)
    Random random = new Random(seed);
    for (int i = 0; i < q.length; i++) {
      q[i] = (float) random.nextGaussian();
    }
    orthonormalise(q, columns, width);
    for (int i = 0; i < ITERATIONS; i++) {
      q = gramTimes(indices, entries, q, columns, width);
      orthonormalise(q, columns, width);
    }
    double[][] small = new double[width][width]; // Q' X' X Q
    float[] projected = new float[width];
    for (int row = 0; row < indices.length; row++) {
      project(indices[row], entries[row], q, width, projected);
      for (int a = 0; a < width; a++) {
        for (int b = a; b < width; b++) {
          small[a][b] += (double) projected[a] * projected[b];
        }
      }
    }
    for (int a = 0; a < width; a++) {
      for (int b = 0; b < a; b++) {
        small[a][b] = small[b][a];
      }
    }
    double[][] rotation = jacobi(small);
    Integer[] order = new Integer[width];
    for (int i = 0; i < width; i++) {
      order[i] = i;
    }
    java.util.Arrays.sort(order, java.util.Comparator.comparingDouble((Integer i) -> -small[i][i]));
    int kept = Math.min(rank, width);
    float[] vectors = new float[columns * kept];
    double[] values = new double[kept];
    for (int k = 0; k < kept; k++) {
      values[k] = Math.sqrt(Math.max(0, small[order[k]][order[k]]));
    }
    for (int c = 0; c < columns; c++) {
      for (int k = 0; k < kept; k++) {
        double sum = 0;
        for (int r = 0; r < width; r++) {
          sum += q[c * width + r] * rotation[r][order[k]];
        }
        vectors[c * kept + k] = (float) sum;
      }
    }
    return new Subspace(vectors, values, kept);
  }

  /** {@code out = row * q}. */
  static void project(int[] row, float[] entries, float[] q, int width, float[] out) {
    java.util.Arrays.fill(out, 0, width, 0);
    for (int e = 0; e < row.length; e++) {
      int at = row[e] * width;
      float value = entries[e];
      for (int r = 0; r < width; r++) {
        out[r] += value * q[at + r];
      }
    }
  }

  /** {@code X' X q}. */
  private static float[] gramTimes(
      int[][] indices, float[][] entries, float[] q, int columns, int width) {
    float[][] parts =
        parts(indices.length)
            .map(part -> gramTimes(indices, entries, q, columns, width, part[0], part[1]))
            .toArray(float[][]::new);
    for (int p = 1; p < parts.length; p++) {
      for (int i = 0; i < parts[0].length; i++) {
        parts[0][i] += parts[p][i];
      }
    }
    return parts[0];
  }

  private static float[] gramTimes(
      int[][] indices, float[][] entries, float[] q, int columns, int width, int from, int to) {
    float[] result = new float[columns * width];
    float[] projected = new float[width];
    for (int row = from; row < to; row++) {
      project(indices[row], entries[row], q, width, projected);
      for (int e = 0; e < indices[row].length; e++) {
        int at = indices[row][e] * width;
        float value = entries[row][e];
        for (int r = 0; r < width; r++) {
          result[at + r] += value * projected[r];
        }
      }
    }
    return result;
  }

  /** Parts of some rows, side by side: as many whatever the machine, so that sums are the same. */
  private static Stream<int[]> parts(int rows) {
    return IntStream.range(0, PARTS)
        .parallel()
        .mapToObj(
            p -> new int[] {(int) ((long) p * rows / PARTS), (int) ((p + 1L) * rows / PARTS)});
  }

  /** Q such that Q'Q = I, by Cholesky of the Gram matrix, twice for accuracy. */
  private static void orthonormalise(float[] q, int rows, int width) {
    for (int pass = 0; pass < 2; pass++) {
      double[][][] grams =
          parts(rows).map(part -> gram(q, width, part[0], part[1])).toArray(double[][][]::new);
      double[][] gram = grams[0];
      for (int p = 1; p < grams.length; p++) {
        for (int a = 0; a < width; a++) {
          for (int b = 0; b <= a; b++) {
            gram[a][b] += grams[p][a][b];
          }
        }
      }
      double[][] lower = new double[width][width];
      for (int a = 0; a < width; a++) {
        for (int b = 0; b <= a; b++) {
          double sum = gram[a][b];
          for (int k = 0; k < b; k++) {
            sum -= lower[a][k] * lower[b][k];
          }
          if (a == b) {
            lower[a][a] = sum > 1e-10 * gram[a][a] && sum > 0 ? Math.sqrt(sum) : 0;
          } else {
            lower[a][b] = lower[b][b] == 0 ? 0 : sum / lower[b][b];
          }
        }
      }
      parts(rows).forEach(part -> solve(lower, q, width, part[0], part[1]));
    }
  }

  /** The lower triangle of {@code Q' Q} over some rows. */
  private static double[][] gram(float[] q, int width, int from, int to) {
    double[][] gram = new double[width][width];
    for (int row = from; row < to; row++) {
      int at = row * width;
      for (int a = 0; a < width; a++) {
        double value = q[at + a];
        if (value == 0) {
          continue;
        }
        double[] into = gram[a];
        for (int b = 0; b <= a; b++) {
          into[b] += value * q[at + b];
        }
      }
    }
    return gram;
  }

  /** Some rows of {@code Q L'^-1}, in place. */
  private static void solve(double[][] lower, float[] q, int width, int from, int to) {
    double[] solved = new double[width];
    for (int row = from; row < to; row++) {
      int at = row * width;
      for (int a = 0; a < width; a++) {
        double sum = q[at + a];
        double[] l = lower[a];
        for (int k = 0; k < a; k++) {
          sum -= l[k] * solved[k];
        }
        solved[a] = l[a] == 0 ? 0 : sum / l[a];
      }
      for (int a = 0; a < width; a++) {
        q[at + a] = (float) solved[a];
      }
    }
  }

  /** Diagonalises a symmetric matrix in place; returns the rotation. Cyclic Jacobi. */
  private static double[][] jacobi(double[][] a) {
    int n = a.length;
    double[][] v = new double[n][n];
    for (int i = 0; i < n; i++) {
      v[i][i] = 1;
    }
    for (int sweep = 0; sweep < 30; sweep++) {
      double off = 0;
      double diagonal = 0;
      for (int i = 0; i < n; i++) {
        diagonal += a[i][i] * a[i][i];
        for (int j = 0; j < i; j++) {
          off += a[i][j] * a[i][j];
        }
      }
      if (off <= 1e-18 * diagonal) {
        break;
      }
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          if (a[p][q] != 0) {
            rotate(a, v, p, q);
          }
        }
      }
    }
    return v;
  }

  private static void rotate(double[][] a, double[][] v, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    double c = 1 / Math.sqrt(t * t + 1);
    double s = t * c;
    int n = a.length;
    for (int k = 0; k < n; k++) {
      double x = a[k][p];
      double y = a[k][q];
      a[k][p] = c * x - s * y;
      a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < n; k++) {
      double x = a[p][k];
      double y = a[q][k];
      a[p][k] = c * x - s * y;
      a[q][k] = s * x + c * y;
    }
    for (int k = 0; k < n; k++) {
      double x = v[k][p];
      double y = v[k][q];
      v[k][p] = c * x - s * y;
      v[k][q] = s * x + c * y;
    }
  }
}
