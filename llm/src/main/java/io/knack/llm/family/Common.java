package io.knack.llm.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ConfigReader.Flag;
import io.knack.llm.checkpoint.GenerationDefaults;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.Embeddings;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import io.knack.llm.checkpoint.RopeScaling;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** The options that all families here share; a family says what it adds. */
final class Common {
  private Common() {}

  /** What distinguishes a family. */
  record Traits(
      List<Integer> windows,
      Bias qkvBias,
      Bias outputBias,
      Bias mlpBias,
      QkNorm qkNorm,
      double theta,
      int headDim,
      int maxPositions) {}

  static ModelConfig read(ConfigReader config, Traits traits) {
    config.require("hidden_act", "silu");
    config.require("is_causal", "true");
    int heads = config.positive("num_attention_heads");
    for (String rope : List.of("rope_scaling", "rope_parameters")) {
      JsonNode node = config.node(rope);
      if (!node.isObject() && !node.isNull() && !node.isMissingNode()) {
        throw new ContractException(
            config.path() + ": " + rope + " is " + node + ", expected an object");
      }
    }
    // Newer files keep all of it under rope_parameters; an older rope_scaling counts first where
    // both are.
    String key = config.node("rope_scaling").isEmpty() ? "rope_parameters" : "rope_scaling";
    double top = config.number("rope_theta", traits.theta());
    double theta =
        config.node(key).hasNonNull("rope_theta") ? number(config, key, "rope_theta") : top;
    if (!(theta > 0)) {
      throw new ContractException(
          config.path() + ": rope_theta is " + theta + ", expected a positive number");
    }
    double epsilon = config.number("rms_norm_eps", 1e-6);
    if (!(epsilon >= 0)) {
      throw new ContractException(
          config.path() + ": rms_norm_eps is " + epsilon + ", expected no negative number");
    }
    RopeScaling rope = rope(config, key);
    config.node("rope_parameters");
    config.require("partial_rotary_factor", 1.0);
    try {
      return new ModelConfig(
          config.architecture(),
          config.positive("vocab_size"),
          config.positive("hidden_size"),
          config.positive("num_hidden_layers"),
          heads,
          config.positive("num_key_value_heads", heads),
          traits.headDim(),
          config.positive("intermediate_size"),
          epsilon,
          theta,
          rope,
          traits.windows(),
          traits.qkvBias(),
          traits.outputBias(),
          traits.mlpBias(),
          traits.qkNorm(),
          config.flag("tie_word_embeddings", Flag.FALSE) ? Embeddings.TIED : Embeddings.SEPARATE,
          config.positive("max_position_embeddings", traits.maxPositions()),
          stopIds(config));
    } catch (IllegalArgumentException e) {
      throw new ContractException(config.path() + ": " + e.getMessage(), e);
    }
  }

  /** {@code head_dim}, else the heads' share of the width. */
  static int headDim(ConfigReader config) {
    int heads = config.positive("num_attention_heads");
    int hidden = config.positive("hidden_size");
    if (!config.has("head_dim") && hidden % heads != 0) {
      throw new ContractException(
          config.path()
              + ": hidden_size "
              + hidden
              + " is not a multiple of num_attention_heads "
              + heads
              + " and there is no head_dim");
    }
    return config.positive("head_dim", Math.max(1, hidden / heads));
  }

  static List<Integer> windows(ConfigReader config, int window) {
    return Collections.nCopies(config.positive("num_hidden_layers"), window);
  }

  /**
   * Refuses {@code layer_types} that say anything else than the one kind of attention that all
   * layers of a family have: versions of transformers differ in whether they heed them.
   */
  static void requireOneKind(ConfigReader config, String kind) {
    JsonNode types = config.node("layer_types");
    for (JsonNode type : types) {
      if (!type.asText().equals(kind)) {
        throw new ContractException(
            config.path()
                + ": layer_types has "
                + type
                + ", which is not supported by "
                + config.architecture()
                + " here; supported: \""
                + kind
                + "\" on every layer");
      }
    }
  }

  private static RopeScaling rope(ConfigReader config, String key) {
    JsonNode node = config.node(key);
    if (!node.isObject()) {
      return new RopeScaling.None();
    }
    String type = node.path("rope_type").asText(node.path("type").asText("default"));
    Set<String> known = new HashSet<>(Set.of("rope_type", "type", "rope_theta"));
    RopeScaling scaling =
        switch (type) {
          case "default" -> new RopeScaling.None();
          case "linear" -> {
            known.add("factor");
            yield new RopeScaling.Linear(number(config, key, "factor"));
          }
          case "llama3" -> {
            known.addAll(
                List.of(
                    "factor",
                    "low_freq_factor",
                    "high_freq_factor",
                    "original_max_position_embeddings"));
            double original = number(config, key, "original_max_position_embeddings");
            // transformers takes the one at the top where both are.
            config.require("original_max_position_embeddings", original);
            yield new RopeScaling.Llama3(
                number(config, key, "factor"),
                number(config, key, "low_freq_factor"),
                number(config, key, "high_freq_factor"),
                (int) original);
          }
          default ->
              throw new ContractException(
                  config.path()
                      + ": "
                      + key
                      + " of type '"
                      + type
                      + "' is not supported; supported: default, linear, llama3");
        };
    node.fieldNames()
        .forEachRemaining(
            name -> {
              boolean partial =
                  name.equals("partial_rotary_factor") && node.path(name).asDouble() == 1;
              if (!known.contains(name) && !partial && !node.path(name).isNull()) {
                throw new ContractException(
                    config.path()
                        + ": "
                        + key
                        + "."
                        + name
                        + " is not supported with type '"
                        + type
                        + "'");
              }
            });
    return scaling;
  }

  private static double number(ConfigReader config, String key, String field) {
    JsonNode node = config.node(key).path(field);
    if (!node.isNumber() || !(node.doubleValue() > 0) || !Double.isFinite(node.doubleValue())) {
      throw new ContractException(
          config.path()
              + ": "
              + key
              + "."
              + field
              + " is "
              + (node.isMissingNode() ? "missing" : node)
              + ", expected a positive number");
    }
    return node.doubleValue();
  }

  private static List<Integer> stopIds(ConfigReader config) {
    Path directory = Objects.requireNonNull(config.path().toAbsolutePath().getParent());
    return GenerationDefaults.of(directory).stopIds();
  }
}
