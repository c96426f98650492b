package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with float32 weights in blocks of 32 outputs. Eight rows of input are taken at a time,
 * or four, or one: each with two vectors of outputs, whose sums stay in registers while the inputs
 * go by.
 */
final class FloatBlocks {
  private FloatBlocks() {}

  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Whether 16 sums, two weights and a factor fit into the registers. */
  static final boolean MANY_REGISTERS = L == 16;

  /** Inputs of a block that are taken at once, so that its weights stay in the first cache. */
  static final int INPUTS = 128;

  /** See {@link VectorMath#blocks}. */
  static void product(
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
    for (int block = from; block < to; block++) {
      for (int k = 0; k < in; k += INPUTS) {
        int end = Math.min(in, k + INPUTS);
        for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
          int at = 4 * (block * in * VectorMath.BLOCK + c);
          int o = yAt + block * VectorMath.BLOCK + c;
          int r = 0;
          if (MANY_REGISTERS) {
            for (; r + 8 <= rows; r += 8) {
              rowsOf8(w, at, k, end, in, x, xAt + r * in, y, o + r * out, out);
            }
          }
          for (; r + 4 <= rows; r += 4) {
            rowsOf4(w, at, k, end, in, x, xAt + r * in, y, o + r * out, out);
          }
          for (; r < rows; r++) {
            rowsOf1(w, at, k, end, x, xAt + r * in, y, o + r * out);
          }
        }
      }
    }
  }

  /** Sums so far, which are none before the first input. */
  static FloatVector sums(float[] y, int at, int from) {
    return from == 0 ? FloatVector.zero(F) : FloatVector.fromArray(F, y, at);
  }

  private static void rowsOf1(
      ByteBuffer w, int at, int from, int to, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = sums(y, yAt, from);
    FloatVector b = sums(y, yAt + L, from);
    int p = at + 4 * VectorMath.BLOCK * from;
    for (int k = from; k < to; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a = FloatVector.fromByteBuffer(F, w, p, NATIVE).fma(v, a);
      b = FloatVector.fromByteBuffer(F, w, p + 4 * L, NATIVE).fma(v, b);
      p += 4 * VectorMath.BLOCK;
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
  }

  private static void rowsOf4(
      ByteBuffer w,
      int at,
      int from,
      int to,
      int in,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out) {
    FloatVector a0 = sums(y, yAt, from);
    FloatVector a1 = sums(y, yAt + out, from);
    FloatVector a2 = sums(y, yAt + 2 * out, from);
    FloatVector a3 = sums(y, yAt + 3 * out, from);
    FloatVector b0 = sums(y, yAt + L, from);
    FloatVector b1 = sums(y, yAt + out + L, from);
    FloatVector b2 = sums(y, yAt + 2 * out + L, from);
    FloatVector b3 = sums(y, yAt + 3 * out + L, from);
    int x1 = xAt + in;
    int x2 = x1 + in;
    int x3 = x2 + in;
    int p = at + 4 * VectorMath.BLOCK * from;
    for (int k = from; k < to; k++) {
      FloatVector wa = FloatVector.fromByteBuffer(F, w, p, NATIVE);
      FloatVector wb = FloatVector.fromByteBuffer(F, w, p + 4 * L, NATIVE);
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a0 = wa.fma(v, a0);
      b0 = wb.fma(v, b0);
      v = FloatVector.broadcast(F, x[x1 + k]);
      a1 = wa.fma(v, a1);
      b1 = wb.fma(v, b1);
      v = FloatVector.broadcast(F, x[x2 + k]);
      a2 = wa.fma(v, a2);
      b2 = wb.fma(v, b2);
      v = FloatVector.broadcast(F, x[x3 + k]);
      a3 = wa.fma(v, a3);
      b3 = wb.fma(v, b3);
      p += 4 * VectorMath.BLOCK;
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
      ByteBuffer w,
      int at,
      int from,
      int to,
      int in,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out) {
    FloatVector a0 = sums(y, yAt, from);
    FloatVector a1 = sums(y, yAt + out, from);
    FloatVector a2 = sums(y, yAt + 2 * out, from);
    FloatVector a3 = sums(y, yAt + 3 * out, from);
    FloatVector a4 = sums(y, yAt + 4 * out, from);
    FloatVector a5 = sums(y, yAt + 5 * out, from);
    FloatVector a6 = sums(y, yAt + 6 * out, from);
    FloatVector a7 = sums(y, yAt + 7 * out, from);
    FloatVector b0 = sums(y, yAt + L, from);
    FloatVector b1 = sums(y, yAt + out + L, from);
    FloatVector b2 = sums(y, yAt + 2 * out + L, from);
    FloatVector b3 = sums(y, yAt + 3 * out + L, from);
    FloatVector b4 = sums(y, yAt + 4 * out + L, from);
    FloatVector b5 = sums(y, yAt + 5 * out + L, from);
    FloatVector b6 = sums(y, yAt + 6 * out + L, from);
    FloatVector b7 = sums(y, yAt + 7 * out + L, from);
    int x4 = xAt + 4 * in;
    int p = at + 4 * VectorMath.BLOCK * from;
    for (int k = from; k < to; k++) {
      FloatVector wa = FloatVector.fromByteBuffer(F, w, p, NATIVE);
      FloatVector wb = FloatVector.fromByteBuffer(F, w, p + 4 * L, NATIVE);
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a0 = wa.fma(v, a0);
      b0 = wb.fma(v, b0);
      v = FloatVector.broadcast(F, x[xAt + in + k]);
      a1 = wa.fma(v, a1);
      b1 = wb.fma(v, b1);
      v = FloatVector.broadcast(F, x[xAt + 2 * in + k]);
      a2 = wa.fma(v, a2);
      b2 = wb.fma(v, b2);
      v = FloatVector.broadcast(F, x[xAt + 3 * in + k]);
      a3 = wa.fma(v, a3);
      b3 = wb.fma(v, b3);
      v = FloatVector.broadcast(F, x[x4 + k]);
      a4 = wa.fma(v, a4);
      b4 = wb.fma(v, b4);
      v = FloatVector.broadcast(F, x[x4 + in + k]);
      a5 = wa.fma(v, a5);
      b5 = wb.fma(v, b5);
      v = FloatVector.broadcast(F, x[x4 + 2 * in + k]);
      a6 = wa.fma(v, a6);
      b6 = wb.fma(v, b6);
      v = FloatVector.broadcast(F, x[x4 + 3 * in + k]);
      a7 = wa.fma(v, a7);
      b7 = wb.fma(v, b7);
      p += 4 * VectorMath.BLOCK;
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
