package io.knack.llm.vector.jdk;

import io.knack.llm.kernel.DType;
import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link VectorMath} over {@code jdk.incubator.vector}, with vectors as long as the processor has
 * them. Loops keep their sums in named local variables, and no vector is chosen by a condition: so
 * the compiler holds them in registers.
 */
public final class JdkVectorMath implements VectorMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  /** Vectors on their way to their sums. */
  private final float[] lanes = new float[8 * L];

  private final Inputs inputs = new Inputs(Inputs.LONG);
  private final FloatBlocks floatBlocks = new FloatBlocks(inputs);
  private final HalfBlocks halfBlocks = new HalfBlocks(inputs);
  private final Attention attention = new Attention(lanes);

  // Products -------------------------------------------------------------------------------------

  @Override
  public void blocks(
      DType stored,
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
    if (stored == DType.BF16) {
      halfBlocks.product(w, in, from, to, x, xAt, y, yAt, out, rows);
    } else {
      floatBlocks.product(w, stored == DType.F16, in, from, to, x, xAt, y, yAt, out, rows);
    }
  }

  @Override
  public float dot(float[] a, int at, ByteBuffer x, int xAt, int n) {
    return Dots.dot(lanes, a, at, x, xAt, n);
  }

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
    return bits.add(odd).add(0x7fff).and(Dots.HIGH_HALF).reinterpretAsFloats();
  }

  private static float rounded(float x) {
    int bits = Float.floatToRawIntBits(x);
    return Float.intBitsToFloat((bits + ((bits >>> 16) & 1) + 0x7fff) & Dots.HIGH_HALF);
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
    float sum = Dots.sum(lanes, sums);
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
      int queries,
      int width,
      float[] scores,
      int scoresAt,
      int step,
      boolean half) {
    attention.scores(keys, at, count, query, queryAt, queries, width, scores, scoresAt, step, half);
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
      int step,
      int queries,
      float[] y,
      int yAt,
      int width,
      boolean half) {
    attention.mix(values, at, count, p, pAt, step, queries, y, yAt, width, half);
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
    float sum = Dots.sum(lanes, sums);
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
    float sum = Dots.sum(lanes, sums);
    for (; k < n; k++) {
      float e = (float) Math.exp((x[at + k] - top) * scale);
      to[toAt + k] = e;
      sum += e;
    }
    return sum;
  }
}
