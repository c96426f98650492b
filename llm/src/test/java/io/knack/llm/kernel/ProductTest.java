package io.knack.llm.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products with weights as a model keeps them on the CPU. */
final class ProductTest {
  /**
   * A row's outputs must not depend on its companions: samples of a seed would change with load.
   */
  @ParameterizedTest
  @CsvSource({
    "512, 1024, BLOCKS",
    "1408, 512, BLOCKS",
    "33, 64, BLOCKS",
    "32, 32, BLOCKS",
    "512, 1024, PACKED",
    "1408, 512, PACKED",
    "33, 64, PACKED",
    "96, 257, PACKED",
    "32, 32, PACKED"
  })
  void aRowIsBitwiseTheSameAmongAnyMultipleOfFour(int in, int out, Kernels.Layout layout) {
    try (Kernels kernels = Kernels.load("cpu");
        NDManager scope = kernels.manager().newSubManager()) {
      kernels.gradients(Kernels.Gradients.OFF);
      NDArray weight = laidOut(kernels, scope, noise(scope, 1, out, in), layout);
      float[] x = values(2, 160 * in);
      float[] all = product(kernels, scope, Arrays.copyOf(x, 160 * in), in, weight);
      for (int rows : new int[] {4, 8, 12, 16, 32, 64, 128}) {
        for (int from : new int[] {0, 32}) {
          float[] some = Arrays.copyOfRange(x, from * in, (from + rows) * in);
          assertThat(product(kernels, scope, some, in, weight))
              .as("%d rows from %d", rows, from)
              .isEqualTo(Arrays.copyOfRange(all, from * out, (from + rows) * out));
        }
      }
    }
  }

  @Test
  void aBiasIsAddedInEveryLayout() {
    try (Kernels kernels = Kernels.load("cpu");
        NDManager scope = kernels.manager().newSubManager()) {
      kernels.gradients(Kernels.Gradients.OFF);
      for (Kernels.Layout layout : List.of(Kernels.Layout.BLOCKS, Kernels.Layout.PACKED)) {
        int out = 64;
        NDArray plain = noise(scope, 1, out, 24);
        NDArray bias = noise(scope, 3, out);
        NDArray x = noise(scope, 2, 4, 24);
        float[] expected = kernels.floats(x.matMul(plain.transpose()).add(bias));
        NDArray weight = laidOut(kernels, scope, plain, layout);
        assertThat(kernels.floats(kernels.tensor(scope, "linear", x, weight, bias)))
            .usingComparatorWithPrecision(1e-5f)
            .containsExactly(expected);
      }
    }
  }

  private static NDArray laidOut(
      Kernels kernels, NDManager scope, NDArray weight, Kernels.Layout layout) {
    return kernels.tensor(scope, "fuse", List.of(weight), layout.code());
  }

  private static float[] product(
      Kernels kernels, NDManager scope, float[] x, int in, NDArray weight) {
    NDArray rows = scope.create(x, new Shape(x.length / in, in));
    NDArray none = scope.create(new float[0]);
    return kernels.floats(kernels.tensor(scope, "linear", rows, weight, none));
  }

  private static NDArray noise(NDManager scope, int seed, int... shape) {
    int count = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    return scope.create(
        values(seed, count), new Shape(Arrays.stream(shape).asLongStream().toArray()));
  }

  private static float[] values(int seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
