package io.knack.llm.family;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;

/** Mistral: Llama's shape with a sliding window on every layer. */
final class Mistral implements Family {
  @Override
  public String architecture() {
    return "MistralForCausalLM";
  }

  @Override
  public ModelConfig read(ConfigReader config) {
    boolean unset = config.node("sliding_window").isMissingNode();
    int window =
        unset ? 4096 : config.has("sliding_window") ? config.positive("sliding_window") : 0;
    Common.requireOneKind(config, window > 0 ? "sliding_attention" : "full_attention");
    if (config.node("num_key_value_heads").isMissingNode()) {
      throw new ContractException(
          config.path() + ": num_key_value_heads is missing, expected a whole number");
    }
    return Common.read(
        config,
        new Common.Traits(
            Common.windows(config, window),
            Bias.NONE,
            Bias.NONE,
            Bias.NONE,
            QkNorm.NONE,
            10_000,
            Common.headDim(config),
            131_072));
  }
}
