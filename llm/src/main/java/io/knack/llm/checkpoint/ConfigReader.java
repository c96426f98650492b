package io.knack.llm.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Strict access to a {@code config.json}: every key is asked for, known to be harmless, or empty;
 * {@link #refuseRest} names the others, because an option that is not understood may change the
 * mathematics.
 */
public final class ConfigReader {
  /**
   * Keys that do not change what a decoder or encoder computes at inference, or only where another
   * key says so: those that a family heeds, it asks for itself.
   */
  private static final Set<String> HARMLESS =
      Set.of(
          "architectures",
          "model_type",
          "torch_dtype",
          "dtype",
          "transformers_version",
          "use_cache",
          "initializer_range",
          "initializer_factor",
          "attention_dropout",
          "hidden_dropout",
          "dropout",
          "hidden_dropout_prob",
          "attention_probs_dropout_prob",
          "classifier_dropout",
          "pretraining_tp",
          "bos_token_id",
          "eos_token_id",
          "pad_token_id",
          "unk_token_id",
          "sep_token_id",
          "cls_token_id",
          "gradient_checkpointing",
          "is_llama_config",
          "transformers.js_config",
          "return_dict",
          "output_attentions",
          "output_hidden_states",
          "torchscript",
          "use_bfloat16",
          "name_or_path",
          "id2label",
          "label2id",
          "problem_type",
          "finetuning_task",
          "task_specific_params",
          "tokenizer_class",
          "is_decoder",
          "is_encoder_decoder",
          "chunk_size_feed_forward",
          "use_sliding_window",
          "max_window_layers",
          "use_mrope",
          "attn_implementation",
          "original_max_position_embeddings",
          "repetition_penalty",
          "max_length",
          "min_length",
          "do_sample",
          "num_beams",
          "num_beam_groups",
          "diversity_penalty",
          "temperature",
          "top_k",
          "top_p",
          "typical_p",
          "length_penalty",
          "no_repeat_ngram_size",
          "encoder_no_repeat_ngram_size",
          "num_return_sequences",
          "early_stopping",
          "remove_invalid_values",
          "type_vocab_size",
          "position_embedding_type",
          "gradient_checkpointing_kwargs",
          "layer_types",
          "sliding_window",
          "vocab_size",
          "max_position_embeddings");

  private static final int LARGEST = 1 << 28;

  private final Path path;
  private final JsonNode root;
  private final Set<String> seen = new HashSet<>();

  private ConfigReader(Path path, JsonNode root) {
    this.path = path;
    this.root = root;
  }

  /** Reads {@code config.json} of a checkpoint directory. */
  public static ConfigReader of(Path directory) {
    Path path = directory.resolve("config.json");
    if (!Files.isRegularFile(path)) {
      throw new ContractException(
          path + ": no such file; expected a Hugging Face checkpoint directory with config.json");
    }
    return new ConfigReader(path, SmallJson.read(path));
  }

  public Path path() {
    return path;
  }

  /** The node at a key, {@code MissingNode} when absent; marks the key as understood. */
  public JsonNode node(String key) {
    seen.add(key);
    return root.path(key);
  }

  public boolean has(String key) {
    return root.hasNonNull(key);
  }

  /** The first of {@code architectures}. */
  public String architecture() {
    String name = node("architectures").path(0).asText("");
    if (name.isEmpty()) {
      throw new ContractException(path + ": has no architectures");
    }
    return name;
  }

  /** A required whole number, at least 1; no size of a model is beyond {@link #LARGEST}. */
  public int positive(String key) {
    JsonNode node = node(key);
    if (!node.isInt() || node.intValue() < 1 || node.intValue() > LARGEST) {
      throw new ContractException(
          path
              + ": "
              + key
              + " is "
              + (node.isMissingNode() ? "missing" : node.toString())
              + ", expected a whole number from 1 to "
              + LARGEST);
    }
    return node.intValue();
  }

  public int positive(String key, int otherwise) {
    return has(key) ? positive(key) : skip(key, otherwise);
  }

  private int skip(String key, int value) {
    seen.add(key);
    return value;
  }

  /** A finite number; {@code otherwise} where the key is absent or null. */
  public double number(String key, double otherwise) {
    JsonNode node = node(key);
    if (node.isMissingNode() || node.isNull()) {
      return otherwise;
    }
    if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
      throw new ContractException(path + ": " + key + " is " + node + ", expected a number");
    }
    return node.doubleValue();
  }

  public String text(String key, String otherwise) {
    return node(key).asText(otherwise);
  }

  /** A truth value; {@code otherwise} where the key is absent or null. */
  public boolean flag(String key, Flag otherwise) {
    JsonNode node = node(key);
    if (node.isMissingNode() || node.isNull()) {
      return otherwise == Flag.TRUE;
    }
    if (!node.isBoolean()) {
      throw new ContractException(path + ": " + key + " is " + node + ", expected true or false");
    }
    return node.booleanValue();
  }

  /** A default for {@link #flag}. */
  public enum Flag {
    TRUE,
    FALSE
  }

  /** Refuses the checkpoint unless the option has the one supported value, or is absent. */
  public void require(String key, String supported) {
    JsonNode node = node(key);
    if (!node.isMissingNode() && !node.isNull() && !node.asText().equals(supported)) {
      throw new ContractException(
          path + ": " + key + " is " + node + ", which is not supported; supported: " + supported);
    }
  }

  /** Refuses the checkpoint unless the number is the supported one, or is absent. */
  public void require(String key, double supported) {
    if (number(key, supported) != supported) {
      throw new ContractException(
          path
              + ": "
              + key
              + " is "
              + root.path(key)
              + ", which is not supported; supported: "
              + supported);
    }
  }

  /** Token ids under a key: one number, a list, or nothing. */
  public List<Integer> ids(String key) {
    return ids(path, key, node(key));
  }

  /**
   * Token ids of a node: one number, a list, or nothing.
   *
   * @throws ContractException naming file and key when it is anything else
   */
  static List<Integer> ids(Path path, String key, JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return List.of();
    }
    List<Integer> ids = new ArrayList<>();
    for (JsonNode id : node.isArray() ? node : List.of(node)) {
      if (!id.isInt()) {
        throw new ContractException(
            path + ": " + key + " is " + node + ", expected a token id or a list of them");
      }
      ids.add(id.intValue());
    }
    return List.copyOf(ids);
  }

  /** Refuses every key that nobody asked for and that says something. */
  public void refuseRest() {
    List<String> unknown =
        root.properties().stream()
            .filter(field -> !seen.contains(field.getKey()) && !HARMLESS.contains(field.getKey()))
            .filter(
                field -> !field.getKey().startsWith("_") && !field.getKey().startsWith("unsloth"))
            .filter(field -> says(field.getValue()))
            .map(field -> field.getKey() + " = " + shortened(field.getValue()))
            .toList();
    if (!unknown.isEmpty()) {
      throw new ContractException(
          path
              + ": options not supported by "
              + root.path("architectures").path(0).asText()
              + " here: "
              + String.join(", ", unknown)
              + "; remove a key only if it does not change what the model computes");
    }
  }

  private static String shortened(JsonNode value) {
    String text = value.toString();
    return text.length() > 80 ? text.substring(0, 77) + "..." : text;
  }

  private static boolean says(JsonNode value) {
    return !(value.isNull()
        || (value.isBoolean() && !value.booleanValue())
        || (value.isNumber() && value.doubleValue() == 0)
        || (value.isTextual() && value.textValue().isEmpty())
        || (value.isContainerNode() && value.isEmpty()));
  }
}
