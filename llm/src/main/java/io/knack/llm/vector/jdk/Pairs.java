package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Numbers of two bytes, read two at a time as one int: the first of them, of even place, is its low
 * half.
 */
final class Pairs {
  private Pairs() {}

  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  // Each lane of the near or far half twice, and every second lane.
  private static final VectorShuffle<Float> TWICE_NEAR = VectorShuffle.fromOp(F, i -> i / 2);
  private static final VectorShuffle<Float> TWICE_FAR = VectorShuffle.fromOp(F, i -> L / 2 + i / 2);
  private static final VectorMask<Float> ODD = VectorMask.fromLong(F, 0xaaaaaaaaaaaaaaaaL);

  /** Moves the exponent of float16 to float32's: their biases are 15 and 127. */
  private static final float TO_FLOAT = 0x1p112f;

  /**
   * Puts the outputs of a block into their order: they come as a vector of even places, then one of
   * odd places.
   *
   * @param step from one row to the next
   */
  static void order(float[] y, int at, int step, int rows) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < VectorMath.BLOCK; c += 2 * L) {
        zip(y, at + r * step + c);
      }
    }
  }

  private static void zip(float[] y, int at) {
    FloatVector even = FloatVector.fromArray(F, y, at);
    FloatVector odd = FloatVector.fromArray(F, y, at + L);
    even.rearrange(TWICE_NEAR).blend(odd.rearrange(TWICE_NEAR), ODD).intoArray(y, at);
    even.rearrange(TWICE_FAR).blend(odd.rearrange(TWICE_FAR), ODD).intoArray(y, at + L);
  }

  /**
   * Widens pairs of float16, which are finite, to float32: a vector of even places, then one of odd
   * places. Sign aside, their bits are a float32's three places further up, but for the bias of the
   * exponent; numbers below float16's normal ones come out right as well.
   *
   * @param n pairs, a multiple of the vectors' length
   */
  static void widen(int[] pairs, int n, float[] to) {
    for (int k = 0; k < n; k += L) {
      IntVector both = IntVector.fromArray(I, pairs, k);
      IntVector even = both.lanewise(VectorOperators.LSHL, 16);
      IntVector odd = both.and(Dots.HIGH_HALF);
      even.and(0x7fffffff)
          .lanewise(VectorOperators.LSHR, 3)
          .reinterpretAsFloats()
          .mul(TO_FLOAT)
          .reinterpretAsInts()
          .or(even.and(0x80000000))
          .reinterpretAsFloats()
          .intoArray(to, 2 * k);
      odd.and(0x7fffffff)
          .lanewise(VectorOperators.LSHR, 3)
          .reinterpretAsFloats()
          .mul(TO_FLOAT)
          .reinterpretAsInts()
          .or(odd.and(0x80000000))
          .reinterpretAsFloats()
          .intoArray(to, 2 * k + L);
    }
  }
}
