package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with float32 weights in blocks of 32 outputs. Four rows of input are taken at a time, or
 * one, with the outputs of two blocks, or one, whose sums stay in registers while the inputs go by.
 */
final class FloatBlocks {
  private FloatBlocks() {}

  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Whether 16 sums, four weights and a factor fit into the registers. */
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
    int block = from;
    if (MANY_REGISTERS) {
      for (; block + 2 <= to; block += 2) {
        for (int k = 0; k < in; k += INPUTS) {
          int end = Math.min(in, k + INPUTS);
          int r = 0;
          for (; r + 4 <= rows; r += 4) {
            twoBlocksOf4(w, block, k, end, in, x, xAt + r * in, y, yAt + r * out, out);
          }
          some(w, block, k, end, in, x, xAt, y, yAt, out, r, rows);
          some(w, block + 1, k, end, in, x, xAt, y, yAt, out, r, rows);
        }
      }
    }
    for (; block < to; block++) {
      for (int k = 0; k < in; k += INPUTS) {
        some(w, block, k, Math.min(in, k + INPUTS), in, x, xAt, y, yAt, out, 0, rows);
      }
    }
  }

  /** One block for the rows from {@code row} on. */
  private static void some(
      ByteBuffer w,
      int block,
      int from,
      int to,
      int in,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out,
      int row,
      int rows) {
    for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
      int at = 4 * (block * in * VectorMath.BLOCK + c);
      int o = yAt + block * VectorMath.BLOCK + c;
      int r = row;
      for (; r + 4 <= rows; r += 4) {
        rowsOf4(w, at, from, to, in, x, xAt + r * in, y, o + r * out, out);
      }
      for (; r < rows; r++) {
        rowsOf1(w, at, from, to, x, xAt + r * in, y, o + r * out);
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

  private static void twoBlocksOf4(
      ByteBuffer w,
      int block,
      int from,
      int to,
      int in,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out) {
    int o = yAt + block * VectorMath.BLOCK;
    FloatVector a0 = sums(y, o, from);
    FloatVector b0 = sums(y, o + L, from);
    FloatVector c0 = sums(y, o + 2 * L, from);
    FloatVector d0 = sums(y, o + 3 * L, from);
    FloatVector a1 = sums(y, o + out, from);
    FloatVector b1 = sums(y, o + out + L, from);
    FloatVector c1 = sums(y, o + out + 2 * L, from);
    FloatVector d1 = sums(y, o + out + 3 * L, from);
    FloatVector a2 = sums(y, o + 2 * out, from);
    FloatVector b2 = sums(y, o + 2 * out + L, from);
    FloatVector c2 = sums(y, o + 2 * out + 2 * L, from);
    FloatVector d2 = sums(y, o + 2 * out + 3 * L, from);
    FloatVector a3 = sums(y, o + 3 * out, from);
    FloatVector b3 = sums(y, o + 3 * out + L, from);
    FloatVector c3 = sums(y, o + 3 * out + 2 * L, from);
    FloatVector d3 = sums(y, o + 3 * out + 3 * L, from);
    int x1 = xAt + in;
    int x2 = x1 + in;
    int x3 = x2 + in;
    int p = 4 * VectorMath.BLOCK * (block * in + from);
    int q = p + 4 * VectorMath.BLOCK * in;
    for (int k = from; k < to; k++) {
      FloatVector wa = FloatVector.fromByteBuffer(F, w, p, NATIVE);
      FloatVector wb = FloatVector.fromByteBuffer(F, w, p + 4 * L, NATIVE);
      FloatVector wc = FloatVector.fromByteBuffer(F, w, q, NATIVE);
      FloatVector wd = FloatVector.fromByteBuffer(F, w, q + 4 * L, NATIVE);
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a0 = wa.fma(v, a0);
      b0 = wb.fma(v, b0);
      c0 = wc.fma(v, c0);
      d0 = wd.fma(v, d0);
      v = FloatVector.broadcast(F, x[x1 + k]);
      a1 = wa.fma(v, a1);
      b1 = wb.fma(v, b1);
      c1 = wc.fma(v, c1);
      d1 = wd.fma(v, d1);
      v = FloatVector.broadcast(F, x[x2 + k]);
      a2 = wa.fma(v, a2);
      b2 = wb.fma(v, b2);
      c2 = wc.fma(v, c2);
      d2 = wd.fma(v, d2);
      v = FloatVector.broadcast(F, x[x3 + k]);
      a3 = wa.fma(v, a3);
      b3 = wb.fma(v, b3);
      c3 = wc.fma(v, c3);
      d3 = wd.fma(v, d3);
      p += 4 * VectorMath.BLOCK;
      q += 4 * VectorMath.BLOCK;
    }
    a0.intoArray(y, o);
    b0.intoArray(y, o + L);
    c0.intoArray(y, o + 2 * L);
    d0.intoArray(y, o + 3 * L);
    a1.intoArray(y, o + out);
    b1.intoArray(y, o + out + L);
    c1.intoArray(y, o + out + 2 * L);
    d1.intoArray(y, o + out + 3 * L);
    a2.intoArray(y, o + 2 * out);
    b2.intoArray(y, o + 2 * out + L);
    c2.intoArray(y, o + 2 * out + 2 * L);
    d2.intoArray(y, o + 2 * out + 3 * L);
    a3.intoArray(y, o + 3 * out);
    b3.intoArray(y, o + 3 * out + L);
    c3.intoArray(y, o + 3 * out + 2 * L);
    d3.intoArray(y, o + 3 * out + 3 * L);
  }
}
