package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products, whose vectors run along the inputs. {@code lanes} is a thread's own room for eight
 * vectors.
 */
final class Dots {
  private Dots() {}

  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
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
