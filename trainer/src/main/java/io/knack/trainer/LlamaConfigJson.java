package io.knack.trainer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.Embeddings;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import io.knack.llm.checkpoint.RopeScaling;
import java.io.IOException;
import java.nio.file.Path;

/** Writes the configuration files of a plain Llama. */
final class LlamaConfigJson {
  private LlamaConfigJson() {}

  static void write(Path directory, ModelConfig shape) throws IOException {
    boolean plain =
        shape.architecture().equals("LlamaForCausalLM")
            && shape.qkvBias() == Bias.NONE
            && shape.qkNorm() == QkNorm.NONE
            && shape.rope() instanceof RopeScaling.None;
    if (!plain) {
      throw new PlanException(
          "full training writes plain LlamaForCausalLM checkpoints; found " + shape);
    }
    ObjectMapper json = Jsons.mapper();
    ObjectNode config = json.createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config.put("model_type", "llama");
    config.put("vocab_size", shape.vocabulary());
    config.put("hidden_size", shape.hidden());
    config.put("num_hidden_layers", shape.layers());
    config.put("num_attention_heads", shape.heads());
    config.put("num_key_value_heads", shape.kvHeads());
    config.put("head_dim", shape.headDim());
    config.put("intermediate_size", shape.feedForward());
    config.put("rms_norm_eps", shape.normEpsilon());
    config.put("rope_theta", shape.ropeTheta());
    config.put("hidden_act", "silu");
    config.put("max_position_embeddings", shape.maxPositions());
    config.put("tie_word_embeddings", shape.embeddings() == Embeddings.TIED);
    config.put("attention_bias", false);
    config.put("mlp_bias", false);
    config.put("torch_dtype", "float32");
    ObjectNode generation = json.createObjectNode();
    if (!shape.stopIds().isEmpty()) {
      stopIds(config, shape);
      stopIds(generation, shape);
    }
    DurableFiles.replace(directory.resolve("config.json"), config.toPrettyString() + "\n");
    DurableFiles.replace(
        directory.resolve("generation_config.json"), generation.toPrettyString() + "\n");
  }

  private static void stopIds(ObjectNode node, ModelConfig shape) {
    if (shape.stopIds().size() == 1) {
      node.put("eos_token_id", shape.stopIds().get(0));
    } else {
      shape.stopIds().forEach(node.withArray("eos_token_id")::add);
    }
  }
}
