package io.knack.llm.cli;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.util.List;

/** What this machine's matrix units give, to hold a measured speed against. */
public final class MachinePeak {
  private static final int N = 1024;
  private static final int ROUNDS = 12;

  private MachinePeak() {}

  /**
   * The best rate of a square matrix product, with the second matrix as it comes and as a model's
   * weights are laid out, in 1e9 floating-point operations a second.
   */
  public static double gflops(DType type) {
    try (Kernels kernels = Kernels.load("cpu");
        NDManager scope = kernels.manager().newSubManager()) {
      kernels.gradients(Kernels.Gradients.OFF);
      NDArray x = kernels.cast(scope, scope.ones(new Shape(N, N)), type);
      NDArray none = scope.create(new float[0]);
      NDArray laidOut = kernels.tensor(scope, "fuse", List.of(x), kernels.layout(type).code());
      double best = 0;
      for (int round = 0; round < ROUNDS; round++) {
        for (NDArray weight : List.of(x, laidOut)) {
          long start = System.nanoTime();
          kernels.tensor(scope, "linear", x, weight, none).close();
          best = Math.max(best, 2.0 * N * N * N / (System.nanoTime() - start));
        }
      }
      return best;
    }
  }
}
