package io.knack.llm.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.knack.contracts.stage.ProcessEnd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that ends while a kernel computes. */
final class NativeCallsTest {
  private static final int CODE = 3;

  /** A good while in oneDNN's packed products. */
  private static final String TEXT =
      """
      class Ops(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def products(self: __torch__.Ops, x: Tensor, w: Tensor, n: int) -> Tensor:
          p = ops.mkldnn._reorder_linear_weight(w, 16)
          for i in range(n):
            x = ops.mkldnn._linear_pointwise(x, p, None, "none", annotate(List[Optional[number]], []), None)
          return x
      """;

  @TempDir Path directory;

  /** Is asked to end by another thread while it is in a call. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) {
      Kernels kernels = Kernels.load(Device.cpu(), TEXT);
      NDArray x = kernels.manager().zeros(new Shape(4, 16));
      NDArray w = kernels.manager().zeros(new Shape(16, 16));
      kernels.gradients(Kernels.Gradients.OFF);
      kernels.run("products", x, w, 1L);
      ProcessEnd.lastly(() -> System.out.println("under way: " + NativeCalls.underWay()));
      new Thread(
              () -> {
                while (NativeCalls.underWay() == 0) {
                  Thread.onSpinWait();
                }
                System.exit(CODE);
              })
          .start();
      kernels.run("products", x, w, 200_000L);
      kernels.run("products", x, w, 1L);
      System.out.println("computed beside the end");
    }
  }

  @Test
  void theEndWaitsForCallsUnderWay() throws Exception {
    Path said = directory.resolve("victim.txt");
    Process victim =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:ErrorFile=" + directory.resolve("error.log"),
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertThat(victim.waitFor(120, TimeUnit.SECONDS)).isTrue();
    } finally {
      victim.destroyForcibly();
    }
    assertThat(Files.readString(said))
        .contains("under way: 0")
        .doesNotContain("computed beside the end")
        .doesNotContain("fatal error");
    assertThat(directory.resolve("error.log")).doesNotExist();
    assertThat(victim.exitValue()).isEqualTo(CODE);
  }
}
