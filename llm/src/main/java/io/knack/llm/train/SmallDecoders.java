package io.knack.llm.train;

import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.RopeScaling;
import java.util.Collections;
import java.util.List;

/** Shapes to train from nothing. */
public final class SmallDecoders {
  private SmallDecoders() {}

  /**
   * A plain Llama without biases, rotary base 10,000, norm epsilon 1e-5.
   *
   * @param heads must divide {@code hidden} into an even head width
   * @param stopIds end of a turn or text, for generation
   */
  public static ModelConfig llama(
      int vocabulary,
      int hidden,
      int layers,
      int heads,
      int kvHeads,
      int feedForward,
      ModelConfig.Embeddings embeddings,
      int maxPositions,
      List<Integer> stopIds) {
    return new ModelConfig(
        "LlamaForCausalLM",
        vocabulary,
        hidden,
        layers,
        heads,
        kvHeads,
        hidden / heads,
        feedForward,
        1e-5,
        10_000,
        new RopeScaling.None(),
        Collections.nCopies(layers, 0),
        ModelConfig.Bias.NONE,
        ModelConfig.Bias.NONE,
        ModelConfig.Bias.NONE,
        ModelConfig.QkNorm.NONE,
        embeddings,
        maxPositions,
        stopIds);
  }
}
