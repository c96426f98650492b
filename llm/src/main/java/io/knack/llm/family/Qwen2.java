package io.knack.llm.family;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ConfigReader.Flag;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import java.util.ArrayList;
import java.util.List;

/** Qwen2 and Qwen2.5: biased q, k and v; a window on the upper layers where it is switched on. */
final class Qwen2 implements Family {
  @Override
  public String architecture() {
    return "Qwen2ForCausalLM";
  }

  @Override
  public ModelConfig read(ConfigReader config) {
    config.require("use_mrope", "false");
    return Common.read(
        config,
        new Common.Traits(
            windows(config),
            Bias.ADDED,
            Bias.NONE,
            Bias.NONE,
            QkNorm.NONE,
            10_000,
            Common.headDim(config),
            32_768));
  }

  /** {@code layer_types} where given, else {@code max_window_layers} full layers, then windows. */
  static List<Integer> windows(ConfigReader config) {
    int layers = config.positive("num_hidden_layers");
    boolean used = config.flag("use_sliding_window", Flag.FALSE);
    int window =
        used && config.has("sliding_window")
            ? config.positive("sliding_window")
            : used && config.node("sliding_window").isMissingNode() ? 4096 : 0;
    int full = (int) config.number("max_window_layers", 28);
    int types = config.node("layer_types").size();
    if (types > 0 && types != layers) {
      throw new ContractException(
          config.path()
              + ": layer_types has "
              + types
              + " entries, expected one a layer: "
              + layers);
    }
    List<Integer> windows = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      String type =
          config
              .node("layer_types")
              .path(layer)
              .asText(layer >= full ? "sliding_attention" : "full_attention");
      switch (type) {
        case "full_attention" -> windows.add(0);
        case "sliding_attention" -> windows.add(window);
        default ->
            throw new ContractException(
                config.path()
                    + ": layer_types has '"
                    + type
                    + "', which is not supported; supported: full_attention, sliding_attention");
      }
    }
    return windows;
  }
}
