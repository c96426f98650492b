package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with float32 weights, or float16, in blocks of 32 outputs. Some inputs' weights of a
 * block are copied to an array, since each access to native memory costs the compiler a dozen
 * instructions and a barrier; all rows are multiplied with them, eight at a time, or four, or one,
 * whose sums stay in registers while the inputs go by.
 */
final class FloatBlocks {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Inputs that are taken at once, so that their weights stay in the first cache. */
  static final int INPUTS = 128;

  private final float[] tile = new float[INPUTS * VectorMath.BLOCK];
  private final int[] pairs = new int[INPUTS * HalfBlocks.STEP];
  private final Inputs inputs;

  FloatBlocks(Inputs inputs) {
    this.inputs = inputs;
  }

  /** See {@link VectorMath#blocks}; weights are float16 where {@code half}. */
  void product(
      ByteBuffer w,
      boolean half,
      int in,
      int from,
      int to,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out,
      int rows) {
    FloatBuffer weights = w.asFloatBuffer();
    IntBuffer halves = w.asIntBuffer();
    float[] grouped = inputs.group(x, xAt, in, rows);
    boolean copied = half || Inputs.copiesWeights(rows);
    for (int block = from; block < to; block++) {
      for (int k = 0; k < in; k += INPUTS) {
        int n = Math.min(INPUTS, in - k);
        int at = VectorMath.BLOCK * (block * in + k);
        if (half) {
          halves.get(at / 2, pairs, 0, HalfBlocks.STEP * n);
          Pairs.widen(pairs, HalfBlocks.STEP * n, tile);
        } else if (copied) {
          weights.get(at, tile, 0, VectorMath.BLOCK * n);
        }
        int group;
        for (int r = 0; r < rows; r += group) {
          group = inputs.group(rows - r);
          int o = yAt + r * out + VectorMath.BLOCK * block;
          if (group > 1) {
            rows(group, k == 0, n, grouped, r * in + group * k, y, o, out);
          } else if (!Inputs.LONG) {
            for (int c = 0; c < VectorMath.BLOCK; c += 4 * L) {
              row(tile, c, k == 0, n, x, xAt + r * in + k, y, o + c);
            }
          } else if (half) {
            longRow(tile, k == 0, n, x, xAt + r * in + k, y, o);
          } else {
            rowInPlace(w, 4 * at, k == 0, n, x, xAt + r * in + k, y, o);
          }
        }
      }
      if (half) {
        Pairs.order(y, yAt + VectorMath.BLOCK * block, out, rows);
      }
    }
  }

  /** Sums so far, which are none before the first input. */
  static FloatVector sums(float[] y, int at, boolean first) {
    return first ? FloatVector.zero(F) : FloatVector.fromArray(F, y, at);
  }

  private void rows(
      int group, boolean first, int n, float[] x, int xAt, float[] y, int yAt, int out) {
    for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
      if (group == 8) {
        rowsOf8(tile, c, first, n, x, xAt, y, yAt + c, out);
      } else {
        rowsOf4(tile, c, first, n, x, xAt, y, yAt + c, out);
      }
    }
  }

  private static void rowInPlace(
      ByteBuffer w, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = sums(y, yAt, first);
    FloatVector b = sums(y, yAt + L, first);
    int p = at;
    for (int k = 0; k < n; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a = FloatVector.fromByteBuffer(F, w, p, NATIVE).fma(v, a);
      b = FloatVector.fromByteBuffer(F, w, p + 4 * L, NATIVE).fma(v, b);
      p += 4 * VectorMath.BLOCK;
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
  }

  private static void row(
      float[] tile, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = sums(y, yAt, first);
    FloatVector b = sums(y, yAt + L, first);
    FloatVector c = sums(y, yAt + 2 * L, first);
    FloatVector d = sums(y, yAt + 3 * L, first);
    for (int k = 0; k < n; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a = FloatVector.fromArray(F, tile, at + VectorMath.BLOCK * k).fma(v, a);
      b = FloatVector.fromArray(F, tile, at + L + VectorMath.BLOCK * k).fma(v, b);
      c = FloatVector.fromArray(F, tile, at + 2 * L + VectorMath.BLOCK * k).fma(v, c);
      d = FloatVector.fromArray(F, tile, at + 3 * L + VectorMath.BLOCK * k).fma(v, d);
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
    c.intoArray(y, yAt + 2 * L);
    d.intoArray(y, yAt + 3 * L);
  }

  /** Two vectors are a block. */
  private static void longRow(
      float[] tile, boolean first, int n, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = sums(y, yAt, first);
    FloatVector b = sums(y, yAt + L, first);
    for (int k = 0; k < n; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a = FloatVector.fromArray(F, tile, VectorMath.BLOCK * k).fma(v, a);
      b = FloatVector.fromArray(F, tile, L + VectorMath.BLOCK * k).fma(v, b);
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
  }

  private static void rowsOf4(
      float[] tile, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt, int out) {
    FloatVector a0 = sums(y, yAt, first);
    FloatVector b0 = sums(y, yAt + L, first);
    FloatVector a1 = sums(y, yAt + out, first);
    FloatVector b1 = sums(y, yAt + out + L, first);
    FloatVector a2 = sums(y, yAt + 2 * out, first);
    FloatVector b2 = sums(y, yAt + 2 * out + L, first);
    FloatVector a3 = sums(y, yAt + 3 * out, first);
    FloatVector b3 = sums(y, yAt + 3 * out + L, first);
    for (int k = 0; k < n; k++) {
      FloatVector wa = FloatVector.fromArray(F, tile, at + VectorMath.BLOCK * k);
      FloatVector wb = FloatVector.fromArray(F, tile, at + L + VectorMath.BLOCK * k);
      FloatVector v = FloatVector.broadcast(F, x[xAt + 4 * k]);
      a0 = wa.fma(v, a0);
      b0 = wb.fma(v, b0);
      v = FloatVector.broadcast(F, x[xAt + 4 * k + 1]);
      a1 = wa.fma(v, a1);
      b1 = wb.fma(v, b1);
      v = FloatVector.broadcast(F, x[xAt + 4 * k + 2]);
      a2 = wa.fma(v, a2);
      b2 = wb.fma(v, b2);
      v = FloatVector.broadcast(F, x[xAt + 4 * k + 3]);
      a3 = wa.fma(v, a3);
      b3 = wb.fma(v, b3);
    }
    a0.intoArray(y, yAt);
    b0.intoArray(y, yAt + L);
    a1.intoArray(y, yAt + out);
    b1.intoArray(y, yAt + out + L);
    a2.intoArray(y, yAt + 2 * out);
    b2.intoArray(y, yAt + 2 * out + L);
    a3.intoArray(y, yAt + 3 * out);
    b3.intoArray(y, yAt + 3 * out + L);
  }

  private static void rowsOf8(
      float[] tile, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt, int out) {
    FloatVector a0 = sums(y, yAt, first);
    FloatVector b0 = sums(y, yAt + L, first);
    FloatVector a1 = sums(y, yAt + out, first);
    FloatVector b1 = sums(y, yAt + out + L, first);
    FloatVector a2 = sums(y, yAt + 2 * out, first);
    FloatVector b2 = sums(y, yAt + 2 * out + L, first);
    FloatVector a3 = sums(y, yAt + 3 * out, first);
    FloatVector b3 = sums(y, yAt + 3 * out + L, first);
    FloatVector a4 = sums(y, yAt + 4 * out, first);
    FloatVector b4 = sums(y, yAt + 4 * out + L, first);
    FloatVector a5 = sums(y, yAt + 5 * out, first);
    FloatVector b5 = sums(y, yAt + 5 * out + L, first);
    FloatVector a6 = sums(y, yAt + 6 * out, first);
    FloatVector b6 = sums(y, yAt + 6 * out + L, first);
    FloatVector a7 = sums(y, yAt + 7 * out, first);
    FloatVector b7 = sums(y, yAt + 7 * out + L, first);
    for (int k = 0; k < n; k++) {
      FloatVector wa = FloatVector.fromArray(F, tile, at + VectorMath.BLOCK * k);
      FloatVector wb = FloatVector.fromArray(F, tile, at + L + VectorMath.BLOCK * k);
      FloatVector v = FloatVector.broadcast(F, x[xAt + 8 * k]);
      a0 = wa.fma(v, a0);
      b0 = wb.fma(v, b0);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 1]);
      a1 = wa.fma(v, a1);
      b1 = wb.fma(v, b1);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 2]);
      a2 = wa.fma(v, a2);
      b2 = wb.fma(v, b2);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 3]);
      a3 = wa.fma(v, a3);
      b3 = wb.fma(v, b3);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 4]);
      a4 = wa.fma(v, a4);
      b4 = wb.fma(v, b4);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 5]);
      a5 = wa.fma(v, a5);
      b5 = wb.fma(v, b5);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 6]);
      a6 = wa.fma(v, a6);
      b6 = wb.fma(v, b6);
      v = FloatVector.broadcast(F, x[xAt + 8 * k + 7]);
      a7 = wa.fma(v, a7);
      b7 = wb.fma(v, b7);
    }
    a0.intoArray(y, yAt);
    b0.intoArray(y, yAt + L);
    a1.intoArray(y, yAt + out);
    b1.intoArray(y, yAt + out + L);
    a2.intoArray(y, yAt + 2 * out);
    b2.intoArray(y, yAt + 2 * out + L);
    a3.intoArray(y, yAt + 3 * out);
    b3.intoArray(y, yAt + 3 * out + L);
    a4.intoArray(y, yAt + 4 * out);
    b4.intoArray(y, yAt + 4 * out + L);
    a5.intoArray(y, yAt + 5 * out);
    b5.intoArray(y, yAt + 5 * out + L);
    a6.intoArray(y, yAt + 6 * out);
    b6.intoArray(y, yAt + 6 * out + L);
    a7.intoArray(y, yAt + 7 * out);
    b7.intoArray(y, yAt + 7 * out + L);
  }
}
