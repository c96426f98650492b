package io.knack.llm.family;

import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ConfigReader.Flag;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;

/** Qwen3, dense: q and k normalised per head; the head width is an option of its own. */
final class Qwen3 implements Family {
  @Override
  public String architecture() {
    return "Qwen3ForCausalLM";
  }

  @Override
  public ModelConfig read(ConfigReader config) {
    Bias attention = config.flag("attention_bias", Flag.FALSE) ? Bias.ADDED : Bias.NONE;
    return Common.read(
        config,
        new Common.Traits(
            Qwen2.windows(config),
            attention,
            attention,
            Bias.NONE,
            QkNorm.PER_HEAD,
            10_000,
            config.positive("head_dim", 128),
            32_768));
  }
}
