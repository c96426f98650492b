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
 * {@link VectorMath} over {@code jdk.incubator.vector}, with vectors as long as the processor has
 * them. Loops keep their sums in named local variables, and no vector is chosen by a condition: so
 * the compiler holds them in registers.
 */
public final class JdkVectorMath implements VectorMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Whether 16 sums, two weights and a factor fit into the registers. */
  private static final boolean MANY_REGISTERS = L == 16;

  /** Vectors on their way to their sums. */
  private final float[] lanes = new float[8 * L];

  private static final int HIGH_HALF = 0xffff0000;

  /** Inputs of a block that are taken at once, so that its weights stay in the first cache. */
  private static final int INPUTS = 128;

  // Each lane of the near or far half twice, and every second lane.
  private static final VectorShuffle<Float> TWICE_NEAR = VectorShuffle.fromOp(F, i -> i / 2);
  private static final VectorShuffle<Float> TWICE_FAR = VectorShuffle.fromOp(F, i -> L / 2 + i / 2);
  private static final VectorMask<Float> ODD = VectorMask.fromLong(F, 0xaaaaaaaaaaaaaaaaL);

  // Products: float32 in blocks ------------------------------------------------------------------

  @Override
  public void blocks(
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
        for (int c = 0; c < BLOCK; c += 2 * L) {
          int at = 4 * (block * in * BLOCK + c);
          int o = yAt + block * BLOCK + c;
          int r = 0;
          if (MANY_REGISTERS) {
            for (; r + 8 <= rows; r += 8) {
              blocksOf8(w, at, k, end, in, x, xAt + r * in, y, o + r * out, out);
            }
          }
          for (; r + 4 <= rows; r += 4) {
            blocksOf4(w, at, k, end, in, x, xAt + r * in, y, o + r * out, out);
          }
          for (; r < rows; r++) {
            blocksOf1(w, at, k, end, x, xAt + r * in, y, o + r * out);
          }
        }
      }
    }
  }

  /** Sums so far, which are none before the first input. */
  private static FloatVector sums(float[] y, int at, int from) {
    return from == 0 ? FloatVector.zero(F) : FloatVector.fromArray(F, y, at);
  }

  private static void blocksOf1(
      ByteBuffer w, int at, int from, int to, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = sums(y, yAt, from);
    FloatVector b = sums(y, yAt + L, from);
    int p = at + 4 * BLOCK * from;
    for (int k = from; k < to; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      a = FloatVector.fromByteBuffer(F, w, p, NATIVE).fma(v, a);
      b = FloatVector.fromByteBuffer(F, w, p + 4 * L, NATIVE).fma(v, b);
      p += 4 * BLOCK;
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
  }

  private static void blocksOf4(
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
    int p = at + 4 * BLOCK * from;
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
      p += 4 * BLOCK;
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

  private static void blocksOf8(
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
    int p = at + 4 * BLOCK * from;
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
      p += 4 * BLOCK;
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

  // Products: bfloat16 ---------------------------------------------------------------------------

  // Two neighbours are read as one int: the first is its low half, the second its high half, and
  // either is a float32 whose lower bits are zero.

  @Override
  public void halfBlocks(
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
        for (int c = 0; c < BLOCK; c += 2 * L) {
          int at = 2 * (block * in * BLOCK + c);
          int o = yAt + block * BLOCK + c;
          int r = 0;
          if (MANY_REGISTERS) {
            for (; r + 8 <= rows; r += 8) {
              halfBlocksOf8(w, at, k, end, in, x, xAt + r * in, y, o + r * out, out);
            }
          }
          for (; r + 4 <= rows; r += 4) {
            halfBlocksOf4(w, at, k, end, in, x, xAt + r * in, y, o + r * out, out);
          }
          for (; r < rows; r++) {
            halfBlocksOf1(w, at, k, end, x, xAt + r * in, y, o + r * out);
          }
        }
      }
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < BLOCK; c += 2 * L) {
          zip(y, yAt + r * out + block * BLOCK + c);
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

  private static void halfBlocksOf1(
      ByteBuffer w, int at, int from, int to, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = sums(y, yAt, from);
    FloatVector b = sums(y, yAt + L, from);
    int p = at + 2 * BLOCK * from;
    for (int k = from; k < to; k++) {
      FloatVector v = FloatVector.broadcast(F, x[xAt + k]);
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(v, a);
      b = pair.and(HIGH_HALF).reinterpretAsFloats().fma(v, b);
      p += 2 * BLOCK;
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + L);
  }

  private static void halfBlocksOf4(
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
    int p = at + 2 * BLOCK * from;
    for (int k = from; k < to; k++) {
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      FloatVector wa = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector wb = pair.and(HIGH_HALF).reinterpretAsFloats();
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
      p += 2 * BLOCK;
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

  private static void halfBlocksOf8(
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
    int p = at + 2 * BLOCK * from;
    for (int k = from; k < to; k++) {
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      FloatVector wa = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector wb = pair.and(HIGH_HALF).reinterpretAsFloats();
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
      p += 2 * BLOCK;
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

  // Lanes are summed up through memory: the vector module's own reduction adds one after the other,
  // its shuffles check every index, and vectors of another length beside these would keep the
  // compiler from seeing through either.

  /** The sum of the lanes of vector {@code i}. */
  private static float sum(float[] lanes, int i) {
    int at = i * L;
    float even = fourth(lanes, at) + fourth(lanes, at + 2);
    float odd = fourth(lanes, at + 1) + fourth(lanes, at + 3);
    return even + odd;
  }

  /** The sum of every fourth lane. */
  private static float fourth(float[] lanes, int at) {
    if (L == 16) {
      return (lanes[at] + lanes[at + 8]) + (lanes[at + 4] + lanes[at + 12]);
    }
    float sum = lanes[at];
    for (int k = 4; k < L; k += 4) {
      sum += lanes[at + k];
    }
    return sum;
  }

  private static float sum(float[] lanes, FloatVector v) {
    v.intoArray(lanes, 0);
    return sum(lanes, 0);
  }

  private static float output(float[] lanes, ByteBuffer w, int at, int in, float[] x, int xAt) {
    int half = in / 2;
    FloatVector a = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= half; k += L) {
      IntVector pair = IntVector.fromByteBuffer(I, w, at + 4 * k, NATIVE);
      a =
          pair.lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F, x, xAt + k), a);
      a =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F, x, xAt + half + k), a);
    }
    return sum(lanes, a) + rest(w, at, k, half, x, xAt);
  }

  /** What vectors do not reach. */
  private static float rest(ByteBuffer w, int at, int from, int half, float[] x, int xAt) {
    float sum = 0;
    for (int k = from; k < half; k++) {
      int pair = w.getInt(at + 4 * k);
      sum += Float.intBitsToFloat(pair << 16) * x[xAt + k];
      sum += Float.intBitsToFloat(pair & HIGH_HALF) * x[xAt + half + k];
    }
    return sum;
  }

  /** Dot products of one row with eight rows of bfloat16, {@code step} bytes apart. */
  private static void dots8(
      float[] lanes,
      ByteBuffer w,
      int at,
      int step,
      int in,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    int half = in / 2;
    FloatVector a = FloatVector.zero(F);
    FloatVector b = FloatVector.zero(F);
    FloatVector c = FloatVector.zero(F);
    FloatVector d = FloatVector.zero(F);
    FloatVector e = FloatVector.zero(F);
    FloatVector f = FloatVector.zero(F);
    FloatVector g = FloatVector.zero(F);
    FloatVector h = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= half; k += L) {
      int p = at + 4 * k;
      FloatVector even = FloatVector.fromArray(F, x, xAt + k);
      FloatVector odd = FloatVector.fromArray(F, x, xAt + half + k);
      IntVector pair = IntVector.fromByteBuffer(I, w, p, NATIVE);
      a =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a));
      pair = IntVector.fromByteBuffer(I, w, p + step, NATIVE);
      b =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, b));
      pair = IntVector.fromByteBuffer(I, w, p + 2 * step, NATIVE);
      c =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, c));
      pair = IntVector.fromByteBuffer(I, w, p + 3 * step, NATIVE);
      d =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, d));
      pair = IntVector.fromByteBuffer(I, w, p + 4 * step, NATIVE);
      e =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, e));
      pair = IntVector.fromByteBuffer(I, w, p + 5 * step, NATIVE);
      f =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, f));
      pair = IntVector.fromByteBuffer(I, w, p + 6 * step, NATIVE);
      g =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, g));
      pair = IntVector.fromByteBuffer(I, w, p + 7 * step, NATIVE);
      h =
          pair.and(HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, h));
    }
    a.intoArray(lanes, 0);
    b.intoArray(lanes, L);
    c.intoArray(lanes, 2 * L);
    d.intoArray(lanes, 3 * L);
    e.intoArray(lanes, 4 * L);
    f.intoArray(lanes, 5 * L);
    g.intoArray(lanes, 6 * L);
    h.intoArray(lanes, 7 * L);
    y[yAt] = sum(lanes, 0) + rest(w, at, k, half, x, xAt);
    y[yAt + 1] = sum(lanes, 1) + rest(w, at + step, k, half, x, xAt);
    y[yAt + 2] = sum(lanes, 2) + rest(w, at + 2 * step, k, half, x, xAt);
    y[yAt + 3] = sum(lanes, 3) + rest(w, at + 3 * step, k, half, x, xAt);
    y[yAt + 4] = sum(lanes, 4) + rest(w, at + 4 * step, k, half, x, xAt);
    y[yAt + 5] = sum(lanes, 5) + rest(w, at + 5 * step, k, half, x, xAt);
    y[yAt + 6] = sum(lanes, 6) + rest(w, at + 6 * step, k, half, x, xAt);
    y[yAt + 7] = sum(lanes, 7) + rest(w, at + 7 * step, k, half, x, xAt);
  }

  // Products: small ------------------------------------------------------------------------------

  @Override
  public void addScaled(float[] y, int yAt, ByteBuffer x, int xAt, float scale, int n) {
    FloatVector s = FloatVector.broadcast(F, scale);
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector.fromByteBuffer(F, x, 4 * (xAt + k), NATIVE)
          .fma(s, FloatVector.fromArray(F, y, yAt + k))
          .intoArray(y, yAt + k);
    }
    for (; k < n; k++) {
      y[yAt + k] = Math.fma(x.getFloat(4 * (xAt + k)), scale, y[yAt + k]);
    }
  }

  /** Dot products of one row with eight rows of float32, {@code step} bytes apart. */
  private static void floatDots8(
      float[] lanes,
      ByteBuffer w,
      int at,
      int step,
      int in,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = FloatVector.zero(F);
    FloatVector c = FloatVector.zero(F);
    FloatVector d = FloatVector.zero(F);
    FloatVector e = FloatVector.zero(F);
    FloatVector f = FloatVector.zero(F);
    FloatVector g = FloatVector.zero(F);
    FloatVector h = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= in; k += L) {
      int p = at + 4 * k;
      FloatVector v = FloatVector.fromArray(F, x, xAt + k);
      a = FloatVector.fromByteBuffer(F, w, p, NATIVE).fma(v, a);
      b = FloatVector.fromByteBuffer(F, w, p + step, NATIVE).fma(v, b);
      c = FloatVector.fromByteBuffer(F, w, p + 2 * step, NATIVE).fma(v, c);
      d = FloatVector.fromByteBuffer(F, w, p + 3 * step, NATIVE).fma(v, d);
      e = FloatVector.fromByteBuffer(F, w, p + 4 * step, NATIVE).fma(v, e);
      f = FloatVector.fromByteBuffer(F, w, p + 5 * step, NATIVE).fma(v, f);
      g = FloatVector.fromByteBuffer(F, w, p + 6 * step, NATIVE).fma(v, g);
      h = FloatVector.fromByteBuffer(F, w, p + 7 * step, NATIVE).fma(v, h);
    }
    a.intoArray(lanes, 0);
    b.intoArray(lanes, L);
    c.intoArray(lanes, 2 * L);
    d.intoArray(lanes, 3 * L);
    e.intoArray(lanes, 4 * L);
    f.intoArray(lanes, 5 * L);
    g.intoArray(lanes, 6 * L);
    h.intoArray(lanes, 7 * L);
    y[yAt] = floatRest(sum(lanes, 0), w, at, k, in, x, xAt);
    y[yAt + 1] = floatRest(sum(lanes, 1), w, at + step, k, in, x, xAt);
    y[yAt + 2] = floatRest(sum(lanes, 2), w, at + 2 * step, k, in, x, xAt);
    y[yAt + 3] = floatRest(sum(lanes, 3), w, at + 3 * step, k, in, x, xAt);
    y[yAt + 4] = floatRest(sum(lanes, 4), w, at + 4 * step, k, in, x, xAt);
    y[yAt + 5] = floatRest(sum(lanes, 5), w, at + 5 * step, k, in, x, xAt);
    y[yAt + 6] = floatRest(sum(lanes, 6), w, at + 6 * step, k, in, x, xAt);
    y[yAt + 7] = floatRest(sum(lanes, 7), w, at + 7 * step, k, in, x, xAt);
  }

  private static float floatRest(
      float sum, ByteBuffer w, int at, int from, int in, float[] x, int xAt) {
    float all = sum;
    for (int k = from; k < in; k++) {
      all += x[xAt + k] * w.getFloat(at + 4 * k);
    }
    return all;
  }

  @Override
  public float dot(float[] a, int at, ByteBuffer x, int xAt, int n) {
    FloatVector sums = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= n; k += L) {
      sums =
          FloatVector.fromByteBuffer(F, x, 4 * (xAt + k), NATIVE)
              .fma(FloatVector.fromArray(F, a, at + k), sums);
    }
    return floatRest(sum(lanes, sums), x, 4 * xAt, k, n, a, at);
  }

  @Override
  public void split(float[] x, int at, float[] to, int toAt, int n) {
    int half = n / 2;
    for (int k = 0; k < half; k++) {
      to[toAt + k] = x[at + 2 * k];
      to[toAt + half + k] = x[at + 2 * k + 1];
    }
  }

  // Between the products -------------------------------------------------------------------------

  @Override
  public void round(float[] x, int at, int n) {
    int k = 0;
    for (; k + L <= n; k += L) {
      rounded(FloatVector.fromArray(F, x, at + k)).intoArray(x, at + k);
    }
    for (; k < n; k++) {
      x[at + k] = rounded(x[at + k]);
    }
  }

  /** Infinities stay what they are; a NaN stays one. */
  private static FloatVector rounded(FloatVector x) {
    IntVector bits = x.reinterpretAsInts();
    IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
    return bits.add(odd).add(0x7fff).and(HIGH_HALF).reinterpretAsFloats();
  }

  private static float rounded(float x) {
    int bits = Float.floatToRawIntBits(x);
    return Float.intBitsToFloat((bits + ((bits >>> 16) & 1) + 0x7fff) & HIGH_HALF);
  }

  @Override
  public void norm(
      float[] x, int at, float[] weight, float eps, float[] y, int yAt, int n, boolean half) {
    FloatVector sums = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector v = FloatVector.fromArray(F, x, at + k);
      sums = v.fma(v, sums);
    }
    float sum = sum(lanes, sums);
    for (; k < n; k++) {
      sum += x[at + k] * x[at + k];
    }
    float scale = (float) (1 / Math.sqrt(sum / n + eps));
    k = 0;
    for (; k + L <= n; k += L) {
      FloatVector v = FloatVector.fromArray(F, x, at + k).mul(scale);
      FloatVector g = FloatVector.fromArray(F, weight, k);
      if (half) {
        rounded(rounded(v).mul(g)).intoArray(y, yAt + k);
      } else {
        v.mul(g).intoArray(y, yAt + k);
      }
    }
    for (; k < n; k++) {
      float v = x[at + k] * scale;
      y[yAt + k] = half ? rounded(rounded(v) * weight[k]) : v * weight[k];
    }
  }

  @Override
  public void rotate(float[] x, int at, float[] table, int n, boolean half) {
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector a = FloatVector.fromArray(F, x, at + k);
      FloatVector b = FloatVector.fromArray(F, x, at + n + k);
      FloatVector cos = FloatVector.fromArray(F, table, k);
      FloatVector sin = FloatVector.fromArray(F, table, n + k);
      if (half) {
        rounded(rounded(a.mul(cos)).sub(rounded(b.mul(sin)))).intoArray(x, at + k);
        rounded(rounded(b.mul(cos)).add(rounded(a.mul(sin)))).intoArray(x, at + n + k);
      } else {
        a.mul(cos).sub(b.mul(sin)).intoArray(x, at + k);
        b.mul(cos).add(a.mul(sin)).intoArray(x, at + n + k);
      }
    }
    for (; k < n; k++) {
      float a = x[at + k];
      float b = x[at + n + k];
      float cos = table[k];
      float sin = table[n + k];
      x[at + k] = half ? rounded(rounded(a * cos) - rounded(b * sin)) : a * cos - b * sin;
      x[at + n + k] = half ? rounded(rounded(b * cos) + rounded(a * sin)) : b * cos + a * sin;
    }
  }

  @Override
  public void add(float[] y, int yAt, float[] x, int at, int n, boolean half) {
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector v = FloatVector.fromArray(F, y, yAt + k).add(FloatVector.fromArray(F, x, at + k));
      if (half) {
        rounded(v).intoArray(y, yAt + k);
      } else {
        v.intoArray(y, yAt + k);
      }
    }
    for (; k < n; k++) {
      float v = y[yAt + k] + x[at + k];
      y[yAt + k] = half ? rounded(v) : v;
    }
  }

  @Override
  public void gate(
      float[] gate, int at, float[] up, int upAt, float[] y, int yAt, int n, boolean half) {
    silu(gate, at, y, yAt, n);
    if (half) {
      round(y, yAt, n);
    }
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector.fromArray(F, y, yAt + k)
          .mul(FloatVector.fromArray(F, up, upAt + k))
          .intoArray(y, yAt + k);
    }
    for (; k < n; k++) {
      y[yAt + k] *= up[upAt + k];
    }
    if (half) {
      round(y, yAt, n);
    }
  }

  private static void silu(float[] x, int at, float[] y, int yAt, int n) {
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector g = FloatVector.fromArray(F, x, at + k);
      g.div(exp(g.neg()).add(1)).intoArray(y, yAt + k);
    }
    for (; k < n; k++) {
      float g = x[at + k];
      y[yAt + k] = (float) (g / (1 + Math.exp(-g)));
    }
  }

  /**
   * e^x within 2 units in the last place: 2^n times a polynomial in what is left (Cephes' expf).
   * Below -87 and above 88 it is what it is there.
   */
  private static FloatVector exp(FloatVector given) {
    FloatVector x = given.max(-87.3f).min(88.3f);
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
    FloatVector shifted = x.mul(1.44269504f).add(12582912f);
    FloatVector n = shifted.sub(12582912f);
    FloatVector r = n.fma(FloatVector.broadcast(F, -0.693359375f), x);
    r = n.fma(FloatVector.broadcast(F, 2.12194440e-4f), r);
    FloatVector p = FloatVector.broadcast(F, 1.9875691500e-4f);
    p = p.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
    p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
    p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
    p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
    p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
    p = p.fma(r.mul(r), r).add(1f);
    IntVector power = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(power).reinterpretAsFloats();
  }

  // Attention ------------------------------------------------------------------------------------

  @Override
  public void scores(
      ByteBuffer keys,
      int at,
      int count,
      float[] query,
      int queryAt,
      int width,
      float[] scores,
      int scoresAt,
      boolean half) {
    int t = 0;
    int step = half ? 2 * width : 4 * width;
    for (; t + 8 <= count; t += 8) {
      if (half) {
        dots8(lanes, keys, at + t * step, step, width, query, queryAt, scores, scoresAt + t);
      } else {
        floatDots8(lanes, keys, at + t * step, step, width, query, queryAt, scores, scoresAt + t);
      }
    }
    for (; t < count; t++) {
      scores[scoresAt + t] =
          half
              ? output(lanes, keys, at + t * step, width, query, queryAt)
              : dot(query, queryAt, keys, (at + t * step) / 4, width);
    }
  }

  @Override
  public void softmax(float[] x, int at, int n, float scale) {
    float sum = exponentials(x, at, max(x, at, n), scale, x, at, n);
    float share = 1 / sum;
    for (int k = 0; k < n; k++) {
      x[at + k] *= share;
    }
  }

  @Override
  public void mix(
      ByteBuffer values,
      int at,
      int count,
      float[] p,
      int pAt,
      float[] y,
      int yAt,
      int width,
      boolean half) {
    if (half) {
      mixHalf(values, at, count, p, pAt, y, yAt, width);
      return;
    }
    int k = 0;
    for (; k + 4 * L <= width; k += 4 * L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      FloatVector b = FloatVector.fromArray(F, y, yAt + k + L);
      FloatVector c = FloatVector.fromArray(F, y, yAt + k + 2 * L);
      FloatVector d = FloatVector.fromArray(F, y, yAt + k + 3 * L);
      int from = at + 4 * k;
      for (int t = 0; t < count; t++) {
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        a = FloatVector.fromByteBuffer(F, values, from, NATIVE).fma(s, a);
        b = FloatVector.fromByteBuffer(F, values, from + 4 * L, NATIVE).fma(s, b);
        c = FloatVector.fromByteBuffer(F, values, from + 8 * L, NATIVE).fma(s, c);
        d = FloatVector.fromByteBuffer(F, values, from + 12 * L, NATIVE).fma(s, d);
        from += 4 * width;
      }
      a.intoArray(y, yAt + k);
      b.intoArray(y, yAt + k + L);
      c.intoArray(y, yAt + k + 2 * L);
      d.intoArray(y, yAt + k + 3 * L);
    }
    for (; k + L <= width; k += L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      for (int t = 0; t < count; t++) {
        a =
            FloatVector.fromByteBuffer(F, values, at + 4 * (t * width + k), NATIVE)
                .fma(FloatVector.broadcast(F, p[pAt + t]), a);
      }
      a.intoArray(y, yAt + k);
    }
    for (; k < width; k++) {
      float sum = y[yAt + k];
      for (int t = 0; t < count; t++) {
        sum = Math.fma(p[pAt + t], values.getFloat(at + 4 * (t * width + k)), sum);
      }
      y[yAt + k] = sum;
    }
  }

  private static void mixHalf(
      ByteBuffer values, int at, int count, float[] p, int pAt, float[] y, int yAt, int width) {
    int half = width / 2;
    int k = 0;
    for (; k + 2 * L <= half; k += 2 * L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      FloatVector b = FloatVector.fromArray(F, y, yAt + half + k);
      FloatVector c = FloatVector.fromArray(F, y, yAt + k + L);
      FloatVector d = FloatVector.fromArray(F, y, yAt + half + k + L);
      int from = at + 4 * k;
      for (int t = 0; t < count; t++) {
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        IntVector pair = IntVector.fromByteBuffer(I, values, from, NATIVE);
        a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(s, a);
        b = pair.and(HIGH_HALF).reinterpretAsFloats().fma(s, b);
        pair = IntVector.fromByteBuffer(I, values, from + 4 * L, NATIVE);
        c = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(s, c);
        d = pair.and(HIGH_HALF).reinterpretAsFloats().fma(s, d);
        from += 2 * width;
      }
      a.intoArray(y, yAt + k);
      b.intoArray(y, yAt + half + k);
      c.intoArray(y, yAt + k + L);
      d.intoArray(y, yAt + half + k + L);
    }
    for (; k + L <= half; k += L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      FloatVector b = FloatVector.fromArray(F, y, yAt + half + k);
      for (int t = 0; t < count; t++) {
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        IntVector pair = IntVector.fromByteBuffer(I, values, at + 2 * t * width + 4 * k, NATIVE);
        a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(s, a);
        b = pair.and(HIGH_HALF).reinterpretAsFloats().fma(s, b);
      }
      a.intoArray(y, yAt + k);
      b.intoArray(y, yAt + half + k);
    }
    for (; k < half; k++) {
      float even = y[yAt + k];
      float odd = y[yAt + half + k];
      for (int t = 0; t < count; t++) {
        int pair = values.getInt(at + 2 * t * width + 4 * k);
        even = Math.fma(p[pAt + t], Float.intBitsToFloat(pair << 16), even);
        odd = Math.fma(p[pAt + t], Float.intBitsToFloat(pair & HIGH_HALF), odd);
      }
      y[yAt + k] = even;
      y[yAt + half + k] = odd;
    }
  }

  // Drawing --------------------------------------------------------------------------------------

  @Override
  public boolean finite(float[] x, int at, int n) {
    // Both survive in a sum of x * 0.
    FloatVector sums = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= n; k += L) {
      sums = FloatVector.fromArray(F, x, at + k).mul(0f).add(sums);
    }
    float sum = sum(lanes, sums);
    for (; k < n; k++) {
      sum += x[at + k] * 0;
    }
    return sum == 0;
  }

  @Override
  public float max(float[] x, int at, int n) {
    FloatVector most = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int k = 0;
    for (; k + L <= n; k += L) {
      most = most.max(FloatVector.fromArray(F, x, at + k));
    }
    float max = most.reduceLanes(VectorOperators.MAX);
    for (; k < n; k++) {
      max = Math.max(max, x[at + k]);
    }
    return max;
  }

  @Override
  public float exponentials(
      float[] x, int at, float top, float scale, float[] to, int toAt, int n) {
    FloatVector sums = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= n; k += L) {
      FloatVector e = exp(FloatVector.fromArray(F, x, at + k).sub(top).mul(scale));
      e.intoArray(to, toAt + k);
      sums = sums.add(e);
    }
    float sum = sum(lanes, sums);
    for (; k < n; k++) {
      float e = (float) Math.exp((x[at + k] - top) * scale);
      to[toAt + k] = e;
      sum += e;
    }
    return sum;
  }
}
