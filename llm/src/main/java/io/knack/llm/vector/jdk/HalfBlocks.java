package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with bfloat16 weights in blocks of 32 outputs, two of which are read as one int. Eight
 * rows of input are taken at a time, or four, or one.
 */
final class HalfBlocks {
  private HalfBlocks() {}

  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  // Each lane of the near or far half twice, and every second lane.
  private static final VectorShuffle<Float> TWICE_NEAR = VectorShuffle.fromOp(F, i -> i / 2);
  private static final VectorShuffle<Float> TWICE_FAR = VectorShuffle.fromOp(F, i -> L / 2 + i / 2);
  private static final VectorMask<Float> ODD = VectorMask.fromLong(F, 0xaaaaaaaaaaaaaaaaL);

  // Two neighbours are read as one int: the first is its low half, the second its high half, and
  // either is a float32 whose lower bits are zero.

  /** See {@link VectorMath#halfBlocks}. */
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
      for (int k = 0; k < in; k += FloatBlocks.INPUTS) {
        int end = Math.min(in, k + FloatBlocks.INPUTS);
        for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
          int at = 2 * (block * in * VectorMath.BLOCK + c);
          int o = yAt + block * VectorMath.BLOCK + c;
          int r = 0;
          if (FloatBlocks.MANY_REGISTERS) {
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
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
          zip(y, yAt + r * out + block * VectorMath.BLOCK + c);
        }
      }
    }
  }

  /** Outputs of even place, then those of odd place, into their order. */
  private static void zip(float[] y, int at) {
    FloatVector even = FloatVector.fromArray(F, y, at);
    FloatVector odd = FloatVector.fromArray(F, y, at + L);
    even.rearrange(TWICE_NEAR).blend(odd.rearrange(TWICE_NEAR), ODD).intoArray(y, at);
    even.rearrange(TWICE_FAR).blend(odd.rearrange(TWICE_FAR), ODD).intoArray(y, at + L);
  }

  private static void rowsOf1(
      ByteBuffer w, int at, int from, int to, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = FloatBlocks.sums(y, yAt, from);
    FloatVector b = FloatBlocks.sums(y, yAt + L, from);
    int p = at + 2 * VectorMath.BLOCK * from;
    for (int k = from; k < to; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(v, a);
      b = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(v, b);
      p += 2 * VectorMath.BLOCK;
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
    FloatVector a0 = FloatBlocks.sums(y, yAt, from);
    FloatVector a1 = FloatBlocks.sums(y, yAt + out, from);
    FloatVector a2 = FloatBlocks.sums(y, yAt + 2 * out, from);
    FloatVector a3 = FloatBlocks.sums(y, yAt + 3 * out, from);
    FloatVector b0 = FloatBlocks.sums(y, yAt + L, from);
    FloatVector b1 = FloatBlocks.sums(y, yAt + out + L, from);
    FloatVector b2 = FloatBlocks.sums(y, yAt + 2 * out + L, from);
    FloatVector b3 = FloatBlocks.sums(y, yAt + 3 * out + L, from);
    int x1 = xAt + in;
    int x2 = x1 + in;
    int x3 = x2 + in;
    int p = at + 2 * VectorMath.BLOCK * from;
    for (int k = from; k < to; k++) {
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      FloatVector wa = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector wb = pair.and(Dots.HIGH_HALF).reinterpretAsFloats();
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
      p += 2 * VectorMath.BLOCK;
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
    FloatVector a0 = FloatBlocks.sums(y, yAt, from);
    FloatVector a1 = FloatBlocks.sums(y, yAt + out, from);
    FloatVector a2 = FloatBlocks.sums(y, yAt + 2 * out, from);
    FloatVector a3 = FloatBlocks.sums(y, yAt + 3 * out, from);
    FloatVector a4 = FloatBlocks.sums(y, yAt + 4 * out, from);
    FloatVector a5 = FloatBlocks.sums(y, yAt + 5 * out, from);
    FloatVector a6 = FloatBlocks.sums(y, yAt + 6 * out, from);
    FloatVector a7 = FloatBlocks.sums(y, yAt + 7 * out, from);
    FloatVector b0 = FloatBlocks.sums(y, yAt + L, from);
    FloatVector b1 = FloatBlocks.sums(y, yAt + out + L, from);
    FloatVector b2 = FloatBlocks.sums(y, yAt + 2 * out + L, from);
    FloatVector b3 = FloatBlocks.sums(y, yAt + 3 * out + L, from);
    FloatVector b4 = FloatBlocks.sums(y, yAt + 4 * out + L, from);
    FloatVector b5 = FloatBlocks.sums(y, yAt + 5 * out + L, from);
    FloatVector b6 = FloatBlocks.sums(y, yAt + 6 * out + L, from);
    FloatVector b7 = FloatBlocks.sums(y, yAt + 7 * out + L, from);
    int x4 = xAt + 4 * in;
    int p = at + 2 * VectorMath.BLOCK * from;
    for (int k = from; k < to; k++) {
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      FloatVector wa = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector wb = pair.and(Dots.HIGH_HALF).reinterpretAsFloats();
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
      p += 2 * VectorMath.BLOCK;
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
