package io.knack.llm.train;

import ai.djl.Device;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Fills the shape into the text of {@code train.py} and loads it. */
final class TrainingKernels {
  /** So many logits at a time: the head's weights are read once for each such part. */
  private static final int LOGITS = 2 * 1024 * 1024;

  /** How attention is computed. */
  enum Attention {
    /** By blocks, without writing the scores out; there are such kernels for CPU alone. */
    BLOCKS("attention"),
    /** From plain operators, on any device. */
    PLAIN("plain_attention");

    private final String method;

    Attention(String method) {
      this.method = method;
    }

    static Attention on(Device device) {
      return device.isGpu() ? PLAIN : BLOCKS;
    }
  }

  private TrainingKernels() {}

  /**
   * @param layout null without LoRA
   */
  static Kernels load(
      Device device, ModelConfig shape, @Nullable LoraLayout layout, Attention attention) {
    String text =
        text()
            .replace("$SPECS", specs(layout))
            .replace("$FACTORS", factors(layout))
            .replace("$ATTENTION", attention.method)
            .replace("$SCALE", Double.toString(1 / Math.sqrt(shape.headDim())))
            .replace("$EPS", Double.toString(shape.normEpsilon()))
            .replace("$KV", Integer.toString(shape.kvHeads()))
            .replace("$H", Integer.toString(shape.heads()))
            .replace("$D", Integer.toString(shape.headDim()))
            .replace("$F", Integer.toString(shape.feedForward()))
            .replace("$LAYERS", Integer.toString(shape.layers()))
            .replace("$CHUNK", Integer.toString(chunk(shape)));
    return Kernels.load(device, text);
  }

  /** Rows whose logits are computed at a time. */
  static int chunk(ModelConfig shape) {
    return Math.max(32, LOGITS / shape.vocabulary());
  }

  private static String specs(@Nullable LoraLayout layout) {
    return perLayer(
        layout == null
            ? List.of()
            : layout.specs().stream()
                .map(groups -> groups.stream().map(java.util.Arrays::toString).toList().toString())
                .toList(),
        "[[0], [0], [0], [0]]");
  }

  private static String factors(@Nullable LoraLayout layout) {
    return perLayer(
        layout == null ? List.of() : layout.factors().stream().map(List::toString).toList(),
        "[[1.], [1.], [1.], [1.]]");
  }

  private static String perLayer(List<String> values, String otherwise) {
    StringBuilder code = new StringBuilder();
    for (int layer = 0; layer < values.size(); layer++) {
      code.append("    if layer == ").append(layer).append(":\n      return ");
      code.append(values.get(layer)).append('\n');
    }
    return code + "    return " + otherwise;
  }

  private static String text() {
    try (InputStream in = TrainingKernels.class.getResourceAsStream("train.py")) {
      if (in == null) {
        throw new IllegalStateException("train.py is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
