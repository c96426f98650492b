package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products, whose vectors run along the inputs. {@code lanes} is a thread's own room for eight
 * vectors.
 */
final class Dots {
  private Dots() {}

  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Of an int, the second of two bfloat16 numbers, as a float32. */
  static final int HIGH_HALF = 0xffff0000;

  // Lanes are summed up through memory: the vector module's own reduction adds one after the other,
  // its shuffles check every index, and vectors of another length beside these would keep the
  // compiler from seeing through either.

  /** The sum of the lanes of vector {@code i}. */
  static float sum(float[] lanes, int i) {
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

  /** The sum of a vector's lanes, in the same order. */
  static float sum(float[] lanes, FloatVector v) {
    v.intoArray(lanes, 0);
    return sum(lanes, 0);
  }

  /** The dot product with one row of bfloat16. */
  static float halfDot(float[] lanes, ByteBuffer w, int at, int in, float[] x, int xAt) {
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
  static void dots8OfHalves(
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

  /** Dot products of one row with eight rows of float32, {@code step} bytes apart. */
  static void dots8OfFloats(
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
    y[yAt] = rest(sum(lanes, 0), w, at, k, in, x, xAt);
    y[yAt + 1] = rest(sum(lanes, 1), w, at + step, k, in, x, xAt);
    y[yAt + 2] = rest(sum(lanes, 2), w, at + 2 * step, k, in, x, xAt);
    y[yAt + 3] = rest(sum(lanes, 3), w, at + 3 * step, k, in, x, xAt);
    y[yAt + 4] = rest(sum(lanes, 4), w, at + 4 * step, k, in, x, xAt);
    y[yAt + 5] = rest(sum(lanes, 5), w, at + 5 * step, k, in, x, xAt);
    y[yAt + 6] = rest(sum(lanes, 6), w, at + 6 * step, k, in, x, xAt);
    y[yAt + 7] = rest(sum(lanes, 7), w, at + 7 * step, k, in, x, xAt);
  }

  private static float rest(float sum, ByteBuffer w, int at, int from, int in, float[] x, int xAt) {
    float all = sum;
    for (int k = from; k < in; k++) {
      all += x[xAt + k] * w.getFloat(at + 4 * k);
    }
    return all;
  }

  /** See {@link VectorMath#dot}. */
  static float dot(float[] lanes, float[] a, int at, ByteBuffer x, int xAt, int n) {
    FloatVector sums = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= n; k += L) {
      sums =
          FloatVector.fromByteBuffer(F, x, 4 * (xAt + k), NATIVE)
              .fma(FloatVector.fromArray(F, a, at + k), sums);
    }
    return rest(sum(lanes, sums), x, 4 * xAt, k, n, a, at);
  }
}
