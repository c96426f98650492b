package io.knack.llm.encoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code config.json} and the files of sentence-transformers say of an encoder.
 *
 * @param maxTokens longer texts are cut, as sentence-transformers cuts them
 */
record EncoderConfig(
    int hidden,
    int layers,
    int heads,
    int intermediate,
    int vocabulary,
    int positions,
    int types,
    double epsilon,
    int maxTokens,
    Pooling pooling,
    Scaling scaling) {

  /** How token vectors become one. */
  enum Pooling {
    MEAN,
    CLS
  }

  /** Whether vectors get length one. */
  enum Scaling {
    NORMALIZED,
    AS_IS
  }

  static EncoderConfig of(Path directory) {
    Path file = directory.resolve("config.json");
    JsonNode config = json(file);
    if (config.isEmpty()) {
      throw new ContractException(file + ": no such file; expected an encoder's checkpoint");
    }
    String type = config.path("model_type").asText("");
    if (!type.equals("bert")) {
      throw new ContractException(
          file + ": model_type '" + type + "' is not supported as an encoder; supported: bert");
    }
    require(file, config, "hidden_act", "gelu");
    require(file, config, "position_embedding_type", "absolute");
    int positions = positive(file, config, "max_position_embeddings");
    Pooling pooling = Pooling.MEAN;
    Scaling scaling = Scaling.AS_IS;
    for (JsonNode module : json(directory.resolve("modules.json"))) {
      String kind = module.path("type").asText("").replaceAll(".*\\.", "");
      switch (kind) {
        case "Transformer" -> {}
        case "Pooling" ->
            pooling =
                pooling(directory.resolve(module.path("path").asText()).resolve("config.json"));
        case "Normalize" -> scaling = Scaling.NORMALIZED;
        default ->
            throw new ContractException(
                directory.resolve("modules.json")
                    + ": the module '"
                    + kind
                    + "' is not supported; supported: Transformer, Pooling, Normalize");
      }
    }
    int longest =
        json(directory.resolve("sentence_bert_config.json")).path("max_seq_length").asInt(0);
    int fromTokenizer =
        (int)
            Math.min(
                json(directory.resolve("tokenizer_config.json"))
                    .path("model_max_length")
                    .asDouble(positions),
                positions);
    return new EncoderConfig(
        positive(file, config, "hidden_size"),
        positive(file, config, "num_hidden_layers"),
        positive(file, config, "num_attention_heads"),
        positive(file, config, "intermediate_size"),
        positive(file, config, "vocab_size"),
        positions,
        positive(file, config, "type_vocab_size"),
        config.path("layer_norm_eps").asDouble(1e-12),
        Math.min(positions, longest > 0 ? longest : fromTokenizer),
        pooling,
        scaling);
  }

  /** Reads the flags of older files and the one word of newer ones. */
  private static Pooling pooling(Path file) {
    JsonNode config = json(file);
    List<String> modes = new ArrayList<>();
    if (config.has("pooling_mode")) {
      JsonNode mode = config.path("pooling_mode");
      if (mode.isArray()) {
        mode.forEach(one -> modes.add(one.asText()));
      } else {
        modes.add(mode.asText());
      }
    }
    config
        .properties()
        .forEach(
            entry -> {
              if (entry.getKey().startsWith("pooling_mode_") && entry.getValue().asBoolean()) {
                modes.add(entry.getKey().substring("pooling_mode_".length()));
              }
            });
    return switch (String.join("+", modes)) {
      case "mean", "mean_tokens" -> Pooling.MEAN;
      case "cls", "cls_token" -> Pooling.CLS;
      default ->
          throw new ContractException(
              file + ": the pooling " + modes + " is not supported; supported: mean, cls");
    };
  }

  private static void require(Path file, JsonNode config, String key, String supported) {
    String found = config.path(key).asText(supported);
    if (!found.equals(supported)) {
      throw new ContractException(
          file + ": " + key + " '" + found + "' is not supported; supported: " + supported);
    }
  }

  private static int positive(Path file, JsonNode config, String key) {
    int value = config.path(key).asInt(0);
    if (value <= 0) {
      throw new ContractException(
          file + ": " + key + " must be a positive number, found " + config.path(key));
    }
    return value;
  }

  private static JsonNode json(Path file) {
    ObjectMapper mapper = new ObjectMapper();
    try {
      return Files.isRegularFile(file) ? mapper.readTree(file.toFile()) : mapper.createObjectNode();
    } catch (IOException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
