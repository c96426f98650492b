package io.knack.llm.family;

import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ConfigReader.Flag;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;

/** Llama 2, 3, 3.1, 3.2 and what shares the shape, such as SmolLM2. */
final class Llama implements Family {
  @Override
  public String architecture() {
    return "LlamaForCausalLM";
  }

  @Override
  public ModelConfig read(ConfigReader config) {
    config.require("rope_interleaved", "false");
    Common.requireOneKind(config, "full_attention");
    Bias attention = config.flag("attention_bias", Flag.FALSE) ? Bias.ADDED : Bias.NONE;
    Bias mlp = config.flag("mlp_bias", Flag.FALSE) ? Bias.ADDED : Bias.NONE;
    return Common.read(
        config,
        new Common.Traits(
            Common.windows(config, 0),
            attention,
            attention,
            mlp,
            QkNorm.NONE,
            10_000,
            Common.headDim(config),
            2048));
  }
}
