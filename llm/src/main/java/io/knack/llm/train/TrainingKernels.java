package io.knack.llm.train;

import ai.djl.Device;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Fills the shape into the text of {@code train.py} and loads it. */
final class TrainingKernels {
  /** Logits of so many rows at a time stay in a core's cache. */
  private static final int LOGITS_IN_CACHE = 512 * 1024;

  private TrainingKernels() {}

  /**
   * @param specs of each layer and group of projections, see {@code lora} in the text; all groups
   *     without LoRA are {@code [0]}
   */
  static Kernels load(Device device, ModelConfig shape, List<List<long[]>> specs) {
    String text =
        text()
            .replace("$SPECS", specs(specs))
            .replace("$EPS", Double.toString(shape.normEpsilon()))
            .replace("$KV", Integer.toString(shape.kvHeads()))
            .replace("$H", Integer.toString(shape.heads()))
            .replace("$D", Integer.toString(shape.headDim()))
            .replace("$F", Integer.toString(shape.feedForward()))
            .replace("$LAYERS", Integer.toString(shape.layers()))
            .replace(
                "$CHUNK", Integer.toString(Math.max(32, LOGITS_IN_CACHE / shape.vocabulary())));
    return Kernels.load(device, text);
  }

  private static String specs(List<List<long[]>> specs) {
    StringBuilder code = new StringBuilder();
    for (int layer = 0; layer < specs.size(); layer++) {
      code.append("    if layer == ").append(layer).append(":\n      return [");
      for (int group = 0; group < specs.get(layer).size(); group++) {
        code.append(group == 0 ? "" : ", ")
            .append(java.util.Arrays.toString(specs.get(layer).get(group)));
      }
      code.append("]\n");
    }
    return code + "    return [[0], [0], [0], [0]]";
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
