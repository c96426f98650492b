package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** As {@link FloatBlocks}, of bfloat16 weights, two of which are read as one int. */
final class HalfBlocks {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Pairs of an input. */
  static final int STEP = VectorMath.BLOCK / 2;

  private final int[] tile = new int[FloatBlocks.INPUTS * STEP];
  private final Inputs inputs;

  HalfBlocks(Inputs inputs) {
    this.inputs = inputs;
  }

  // Either half of an int is a float32 whose lower bits are zero.

  /** See {@link VectorMath#blocks}. */
  void product(
      ByteBuffer w,
      int in,
      int from,
      int to,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out,
      int rows) {
    IntBuffer pairs = w.asIntBuffer();
    float[] grouped = inputs.group(x, xAt, in, rows);
    boolean copied = Inputs.copiesWeights(rows);
    for (int block = from; block < to; block++) {
      for (int k = 0; k < in; k += FloatBlocks.INPUTS) {
        int n = Math.min(FloatBlocks.INPUTS, in - k);
        int at = STEP * (block * in + k);
        if (copied) {
          pairs.get(at, tile, 0, STEP * n);
        }
        int group;
        for (int r = 0; r < rows; r += group) {
          group = inputs.group(rows - r);
          int o = yAt + r * out + VectorMath.BLOCK * block;
          if (group > 1) {
            rows(group, k == 0, n, grouped, r * in + group * k, y, o, out);
          } else if (Inputs.LONG) {
            rowInPlace(w, 4 * at, k == 0, n, x, xAt + r * in + k, y, o);
          } else {
            for (int c = 0; c < VectorMath.BLOCK; c += 4 * L) {
              row(tile, c / 2, k == 0, n, x, xAt + r * in + k, y, o + c);
            }
          }
        }
      }
      Pairs.order(y, yAt + VectorMath.BLOCK * block, out, rows);
    }
  }

  private void rows(
      int group, boolean first, int n, float[] x, int xAt, float[] y, int yAt, int out) {
    for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
      if (group == 8) {
        rowsOf8(tile, c / 2, first, n, x, xAt, y, yAt + c, out);
      } else {
        rowsOf4(tile, c / 2, first, n, x, xAt, y, yAt + c, out);
      }
    }
  }

  private static void rowInPlace(
      ByteBuffer w, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = FloatBlocks.sums(y, yAt, first);
    FloatVector b = FloatBlocks.sums(y, yAt + L, first);
    int p = at;
    for (int k = 0; k < n; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(v, a);
      b = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(v, b);
      p += 4 * STEP;
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
  }

  private static void row(
      int[] tile, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = FloatBlocks.sums(y, yAt, first);
    FloatVector b = FloatBlocks.sums(y, yAt + L, first);
    FloatVector c = FloatBlocks.sums(y, yAt + 2 * L, first);
    FloatVector d = FloatBlocks.sums(y, yAt + 3 * L, first);
    for (int k = 0; k < n; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      IntVector pair = IntVector.fromArray(I, tile, at + STEP * k);
      a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(v, a);
      b = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(v, b);
      pair = IntVector.fromArray(I, tile, at + L + STEP * k);
      c = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(v, c);
      d = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(v, d);
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
    c.intoArray(y, yAt + 2 * L);
    d.intoArray(y, yAt + 3 * L);
  }

  private static void rowsOf4(
      int[] tile, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt, int out) {
    FloatVector a0 = FloatBlocks.sums(y, yAt, first);
    FloatVector b0 = FloatBlocks.sums(y, yAt + L, first);
    FloatVector a1 = FloatBlocks.sums(y, yAt + out, first);
    FloatVector b1 = FloatBlocks.sums(y, yAt + out + L, first);
    FloatVector a2 = FloatBlocks.sums(y, yAt + 2 * out, first);
    FloatVector b2 = FloatBlocks.sums(y, yAt + 2 * out + L, first);
    FloatVector a3 = FloatBlocks.sums(y, yAt + 3 * out, first);
    FloatVector b3 = FloatBlocks.sums(y, yAt + 3 * out + L, first);
    for (int k = 0; k < n; k++) {
      IntVector pair = IntVector.fromArray(I, tile, at + STEP * k);
      FloatVector wa = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector wb = pair.and(Dots.HIGH_HALF).reinterpretAsFloats();
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
      int[] tile, int at, boolean first, int n, float[] x, int xAt, float[] y, int yAt, int out) {
    FloatVector a0 = FloatBlocks.sums(y, yAt, first);
    FloatVector b0 = FloatBlocks.sums(y, yAt + L, first);
    FloatVector a1 = FloatBlocks.sums(y, yAt + out, first);
    FloatVector b1 = FloatBlocks.sums(y, yAt + out + L, first);
    FloatVector a2 = FloatBlocks.sums(y, yAt + 2 * out, first);
    FloatVector b2 = FloatBlocks.sums(y, yAt + 2 * out + L, first);
    FloatVector a3 = FloatBlocks.sums(y, yAt + 3 * out, first);
    FloatVector b3 = FloatBlocks.sums(y, yAt + 3 * out + L, first);
    FloatVector a4 = FloatBlocks.sums(y, yAt + 4 * out, first);
    FloatVector b4 = FloatBlocks.sums(y, yAt + 4 * out + L, first);
    FloatVector a5 = FloatBlocks.sums(y, yAt + 5 * out, first);
    FloatVector b5 = FloatBlocks.sums(y, yAt + 5 * out + L, first);
    FloatVector a6 = FloatBlocks.sums(y, yAt + 6 * out, first);
    FloatVector b6 = FloatBlocks.sums(y, yAt + 6 * out + L, first);
    FloatVector a7 = FloatBlocks.sums(y, yAt + 7 * out, first);
    FloatVector b7 = FloatBlocks.sums(y, yAt + 7 * out + L, first);
    for (int k = 0; k < n; k++) {
      IntVector pair = IntVector.fromArray(I, tile, at + STEP * k);
      FloatVector wa = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector wb = pair.and(Dots.HIGH_HALF).reinterpretAsFloats();
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
