package io.knack.llm.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.util.Float16Utils;
import io.knack.llm.kernel.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Against the same sums in double precision, at sizes that fill vectors and at sizes that do not.
 */
class VectorMathTest {
  private final VectorMath math = VectorMath.find().orElseThrow();
  private final Random random = new Random(1);

  private float[] noise(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static float half(float x) {
    int bits = Float.floatToRawIntBits(x);
    return Float.intBitsToFloat((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  }

  private static ByteBuffer memory(float[] x, boolean half) {
    return memory(x, half ? DType.BF16 : DType.F32);
  }

  private static ByteBuffer memory(float[] x, DType stored) {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(x.length * stored.bytes()).order(ByteOrder.nativeOrder());
    for (float v : x) {
      switch (stored) {
        case F32 -> bytes.putFloat(v);
        case F16 -> bytes.putShort(Float16Utils.floatToHalf(v));
        case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(v) >>> 16));
      }
    }
    return bytes.clear().order(ByteOrder.nativeOrder());
  }

  /** Weights (out, in) in blocks of 32 outputs. */
  private static float[] blocks(float[] w, int out, int in) {
    float[] result = new float[w.length];
    for (int o = 0; o < out; o++) {
      for (int k = 0; k < in; k++) {
        result[(o / 32 * in + k) * 32 + o % 32] = w[o * in + k];
      }
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"1, 32, 7", "3, 64, 128", "4, 96, 129", "8, 32, 300", "16, 64, 260", "21, 96, 65"})
  void productsAreThoseOfDoublesAndARowsOwn(int rows, int out, int in) {
    for (DType stored : DType.values()) {
      float[] w = noise(out * in);
      if (stored == DType.BF16) {
        math.round(w, 0, w.length);
      } else if (stored == DType.F16) {
        for (int i = 0; i < w.length; i++) {
          // Every second one is below float16's normal numbers.
          short bits = Float16Utils.floatToHalf(i % 2 == 0 ? w[i] : w[i] * 1e-5f);
          w[i] = Float16Utils.halfToFloat(bits);
        }
      }
      float[] x = noise(5 + rows * in);
      float[] y = product(w, x, rows, out, in, stored);
      for (int r = 0; r < rows; r++) {
        for (int o = 0; o < out; o++) {
          double sum = 0;
          for (int k = 0; k < in; k++) {
            sum += (double) w[o * in + k] * x[5 + r * in + k];
          }
          assertThat((double) y[3 + r * out + o]).isCloseTo(sum, within(1e-4));
        }
        float[] own = new float[5 + in];
        System.arraycopy(x, 5 + r * in, own, 5, in);
        assertThat(Arrays.copyOfRange(product(w, own, 1, out, in, stored), 3, 3 + out))
            .as("row %d alone", r)
            .isEqualTo(Arrays.copyOfRange(y, 3 + r * out, 3 + (r + 1) * out));
      }
    }
  }

  private float[] product(float[] w, float[] x, int rows, int out, int in, DType stored) {
    float[] y = noise(3 + rows * out);
    ByteBuffer weights = memory(blocks(w, out, in), stored);
    // In two shares, as two threads take them.
    int middle = out / 64;
    for (int part = 0; part < 2; part++) {
      int from = part == 0 ? 0 : middle;
      int to = part == 0 ? middle : out / 32;
      math.blocks(stored, weights, in, from, to, x, 5, y, 3, out, rows);
    }
    return y;
  }

  @ParameterizedTest
  @CsvSource({"1, 64", "8, 64", "21, 128", "13, 8", "9, 12", "17, 40", "30, 96", "150, 64"})
  void attentionIsThatOfDoubles(int count, int width) {
    int queries = 3;
    int step = count + 5;
    for (boolean half : new boolean[] {false, true}) {
      float[] keys = noise(count * width);
      float[] values = noise(count * width);
      float[] query = noise(4 + queries * width);
      if (half) {
        math.round(keys, 0, keys.length);
        math.round(values, 0, values.length);
      }
      float[] p = new float[2 + queries * step];
      math.scores(memory(keys, half), 0, count, query, 4, queries, width, p, 2, step, half);
      double[][] expected = new double[queries][];
      for (int j = 0; j < queries; j++) {
        for (int t = 0; t < count; t++) {
          double sum = 0;
          for (int i = 0; i < width; i++) {
            sum += (double) keys[t * width + i] * query[4 + j * width + i];
          }
          assertThat((double) p[2 + j * step + t]).isCloseTo(sum, within(1e-4));
        }
        expected[j] = softmax(p, 2 + j * step, count, 0.3);
        math.softmax(p, 2 + j * step, count, 0.3f);
        for (int t = 0; t < count; t++) {
          assertThat((double) p[2 + j * step + t]).isCloseTo(expected[j][t], within(1e-6));
        }
      }
      float[] y = noise(1 + queries * width);
      math.mix(memory(values, half), 0, count, p, 2, step, queries, y, 1, width, half);
      for (int j = 0; j < queries; j++) {
        for (int i = 0; i < width; i++) {
          double sum = 0;
          for (int t = 0; t < count; t++) {
            sum += expected[j][t] * values[t * width + i];
          }
          assertThat((double) y[1 + j * width + i]).isCloseTo(sum, within(1e-5));
        }
      }
    }
  }

  private static double[] softmax(float[] x, int at, int n, double scale) {
    double[] e = new double[n];
    double sum = 0;
    for (int i = 0; i < n; i++) {
      e[i] = Math.exp(x[at + i] * scale);
      sum += e[i];
    }
    for (int i = 0; i < n; i++) {
      e[i] /= sum;
    }
    return e;
  }

  /** A score's place must not matter, or a prompt read in two parts would give other numbers. */
  @Test
  void aScoreIsBitwiseTheSameAtAnyPlace() {
    int width = 48;
    for (boolean half : new boolean[] {false, true}) {
      float[] keys = noise(20 * width);
      math.round(keys, 0, keys.length);
      ByteBuffer memory = memory(keys, half);
      float[] query = noise(width);
      float[] all = new float[20];
      math.scores(memory, 0, 20, query, 0, 1, width, all, 0, 0, half);
      for (int from = 0; from < 20; from++) {
        float[] rest = new float[20 - from];
        int at = from * width * (half ? 2 : 4);
        math.scores(memory, at, 20 - from, query, 0, 1, width, rest, 0, 0, half);
        assertThat(rest).isEqualTo(Arrays.copyOfRange(all, from, 20));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 16, 50, 512})
  void whatLiesBetweenProductsIsThatOfDoubles(int n) {
    float[] x = noise(n);
    float[] weight = noise(n);
    float[] y = new float[n];
    math.norm(x, 0, weight, 1e-5f, y, 0, n, false);
    double squares = 0;
    for (float v : x) {
      squares += (double) v * v;
    }
    double scale = 1 / Math.sqrt(squares / n + 1e-5);
    float[] gated = new float[n];
    math.gate(x, 0, weight, 0, gated, 0, n, false);
    float[] halved = new float[n];
    math.gate(x, 0, weight, 0, halved, 0, n, true);
    float[] sum = x.clone();
    math.add(sum, 0, weight, 0, n, true);
    for (int i = 0; i < n; i++) {
      assertThat((double) y[i]).isCloseTo(x[i] * scale * weight[i], within(1e-5));
      double silu = x[i] / (1 + Math.exp(-x[i]));
      assertThat((double) gated[i]).isCloseTo(silu * weight[i], within(1e-6));
      assertThat((double) halved[i]).isCloseTo(silu * weight[i], within(0.02));
      assertThat(halved[i]).isEqualTo(half(halved[i]));
      assertThat(sum[i]).isEqualTo(half(x[i] + weight[i]));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 16, 20, 64})
  void rotationIsThatOfDoubles(int n) {
    float[] x = noise(2 * n);
    float[] table = new float[2 * n];
    for (int i = 0; i < n; i++) {
      table[i] = (float) Math.cos(i);
      table[n + i] = (float) Math.sin(i);
    }
    float[] y = x.clone();
    math.rotate(y, 0, table, n, false);
    for (int i = 0; i < n; i++) {
      assertThat((double) y[i])
          .isCloseTo(x[i] * Math.cos(i) - x[n + i] * Math.sin(i), within(1e-6));
      assertThat((double) y[n + i])
          .isCloseTo(x[n + i] * Math.cos(i) + x[i] * Math.sin(i), within(1e-6));
    }
  }

  @Test
  void exponentialsHoldOverTheirWholeRange() {
    float[] x = new float[1000];
    for (int i = 0; i < x.length; i++) {
      x[i] = -i * 0.09f;
    }
    float[] e = new float[x.length];
    math.exponentials(x, 0, 0, 1, e, 0, x.length);
    for (int i = 0; i < x.length; i++) {
      double expected = Math.exp(x[i]);
      assertThat((double) e[i]).isCloseTo(expected, within(Math.max(3e-7 * expected, 2e-38)));
    }
  }

  @Test
  void whatIsNotFiniteIsSeenAtAnyPlace() {
    float[] x = noise(40);
    assertThat(math.finite(x, 0, 40)).isTrue();
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (int at : new int[] {0, 17, 39}) {
        float[] y = x.clone();
        y[at] = bad;
        assertThat(math.finite(y, 0, 40)).isFalse();
      }
    }
  }

  @Test
  void smallProductsReadFromAnyElement() {
    float[] x = noise(70);
    ByteBuffer memory = memory(x, false);
    float[] a = noise(50);
    double sum = 0;
    for (int i = 0; i < 37; i++) {
      sum += (double) a[2 + i] * x[9 + i];
    }
    assertThat((double) math.dot(a, 2, memory, 9, 37)).isCloseTo(sum, within(1e-5));
    float[] y = a.clone();
    math.addScaled(y, 1, memory, 9, 0.5f, 37);
    for (int i = 0; i < 50; i++) {
      double added = i >= 1 && i < 38 ? 0.5 * x[9 + i - 1] : 0;
      assertThat((double) y[i]).isCloseTo(a[i] + added, within(1e-6));
    }
  }
}
