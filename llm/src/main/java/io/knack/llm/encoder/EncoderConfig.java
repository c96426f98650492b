package io.knack.llm.encoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.SmallJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code config.json} and the files of sentence-transformers say of an encoder.
 *
 * @param directory of config.json, the weights and the tokenizer
 * @param positions rows of the position table
 * @param unplaced the token that takes no place of its own in the count of positions, wherever it
 *     stands: it has the position of its own number, and the others are counted from the next; -1
 *     where tokens are counted from 0, whatever they are
 * @param types rows of the token-type table; 0 for none
 * @param buckets of relative distance, each with a bias a head; 0 for none
 * @param maxTokens longer texts are cut, as sentence-transformers cuts them
 * @param prefix put before every text
 */
record EncoderConfig(
    Path directory,
    Layout layout,
    int hidden,
    int layers,
    int heads,
    int intermediate,
    int vocabulary,
    int positions,
    int unplaced,
    int types,
    int buckets,
    double epsilon,
    int maxTokens,
    Pooling pooling,
    Scaling scaling,
    Case letters,
    String prefix) {

  /** How tensors are named. */
  enum Layout {
    BERT,
    DISTILBERT,
    MPNET
  }

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

  /** Whether texts are lower-cased before the tokenizer sees them. */
  enum Case {
    LOWERED,
    AS_IS
  }

  private static final List<String> LIMITS =
      List.of(
          "sentence_bert_config.json",
          "sentence_roberta_config.json",
          "sentence_xlm-roberta_config.json",
          "sentence_camembert_config.json",
          "sentence_distilbert_config.json",
          "sentence_mpnet_config.json");

  /** What sentence-transformers hands on to the model and its tokenizer, who then do otherwise. */
  private static final List<String> HANDED_ON =
      List.of(
          "tokenizer_args",
          "tokenizer_kwargs",
          "processor_args",
          "processor_kwargs",
          "model_args",
          "model_kwargs",
          "config_args",
          "config_kwargs");

  /** Names of all files that are read here. */
  static final Set<String> FILES =
      Stream.concat(
              LIMITS.stream(),
              Stream.of(
                  "config.json",
                  "config_sentence_transformers.json",
                  "modules.json",
                  "tokenizer_config.json"))
          .collect(Collectors.toUnmodifiableSet());

  EncoderConfig {
    if (hidden % heads != 0) {
      throw new ContractException(
          directory.resolve("config.json")
              + ": a width of "
              + hidden
              + " is not a multiple of "
              + heads
              + " heads");
    }
  }

  static EncoderConfig of(Path directory) {
    Path encoder = directory;
    Pooling pooling = Pooling.MEAN;
    Scaling scaling = Scaling.AS_IS;
    boolean promptCounts = true;
    Path file = directory.resolve("modules.json");
    if (!Files.isRegularFile(file)) {
      // sentence-transformers then takes nothing from its other files.
      return of(encoder, JsonNodeFactory.instance.objectNode(), pooling, scaling, "");
    }
    List<String> kinds = new ArrayList<>();
    for (JsonNode module : modules(file)) {
      String kind = module.path("type").asText("").replaceAll(".*\\.", "");
      Path place = inside(directory, module.path("path").asText(""));
      switch (kind) {
        case "Transformer" -> encoder = place;
        case "Pooling" -> {
          pooling = pooling(place.resolve("config.json"));
          promptCounts =
              SmallJson.optional(place.resolve("config.json"))
                  .path("include_prompt")
                  .asBoolean(true);
        }
        case "Normalize" -> scaling = Scaling.NORMALIZED;
        default ->
            throw new ContractException(
                directory.resolve("modules.json")
                    + ": the module '"
                    + kind
                    + "' is not supported; supported: Transformer, Pooling, Normalize");
      }
      kinds.add(kind);
    }
    if (!String.join(" ", kinds).matches("Transformer Pooling( Normalize)*")) {
      throw new ContractException(
          file
              + ": the modules "
              + kinds
              + " are not supported in this order; supported: Transformer, Pooling and, behind"
              + " them, Normalize; a checkpoint without modules.json is pooled by the mean");
    }
    String prefix = prefix(directory.resolve("config_sentence_transformers.json"));
    if (!prefix.isEmpty() && !promptCounts) {
      throw new ContractException(
          directory + ": a pooling without the prompt (include_prompt) is not supported");
    }
    JsonNode limits = JsonNodeFactory.instance.objectNode();
    for (String name : LIMITS) {
      JsonNode found = SmallJson.optional(encoder.resolve(name));
      if (!found.isEmpty()) {
        limits = found;
        checkLimits(encoder.resolve(name), found);
        break;
      }
    }
    return of(encoder, limits, pooling, scaling, prefix);
  }

  private static void checkLimits(Path file, JsonNode limits) {
    for (String key : HANDED_ON) {
      if (limits.hasNonNull(key)
          && !(limits.get(key).isContainerNode() && limits.get(key).isEmpty())) {
        throw new ContractException(
            file
                + ": "
                + key
                + " "
                + limits.get(key)
                + " is not supported; write what it says into"
                + " tokenizer_config.json or config.json");
      }
    }
    JsonNode longest = limits.path("max_seq_length");
    if (limits.hasNonNull("max_seq_length") && !(longest.isInt() && longest.intValue() > 0)) {
      throw new ContractException(
          file + ": max_seq_length is " + longest + ", expected a positive number of tokens");
    }
  }

  private static EncoderConfig of(
      Path directory, JsonNode limits, Pooling pooling, Scaling scaling, String prefix) {
    Path file = directory.resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw new ContractException(file + ": no such file; expected an encoder's checkpoint");
    }
    JsonNode config = SmallJson.read(file);
    String type = config.path("model_type").asText("");
    Layout layout =
        switch (type) {
          case "bert", "roberta", "xlm-roberta", "camembert" -> Layout.BERT;
          case "distilbert" -> Layout.DISTILBERT;
          case "mpnet" -> Layout.MPNET;
          default ->
              throw new ContractException(
                  file
                      + ": model_type '"
                      + type
                      + "' is not supported as an encoder; supported: bert, roberta, xlm-roberta,"
                      + " camembert, distilbert, mpnet");
        };
    boolean distil = layout == Layout.DISTILBERT;
    require(file, config, distil ? "activation" : "hidden_act", "gelu");
    require(file, config, "position_embedding_type", "absolute");
    require(file, config, "is_decoder", "false");
    require(file, config, "quantization_config", "");
    int positions = positive(file, config, "max_position_embeddings");
    // All but BERT itself count positions from behind the padding token's.
    int unplaced = type.equals("bert") || distil ? -1 : config.path("pad_token_id").asInt(1);
    if (layout == Layout.MPNET && unplaced != 1) {
      throw new ContractException(
          file
              + ": pad_token_id "
              + unplaced
              + " is not supported for model_type 'mpnet', which counts positions from behind token"
              + " 1; supported: 1");
    }
    int first = unplaced + 1;
    if (first < 0 || first >= positions) {
      throw new ContractException(
          file
              + ": pad_token_id "
              + (first - 1)
              + " leaves no room in "
              + positions
              + " positions");
    }
    int longest = limits.path("max_seq_length").asInt(0);
    int fromTokenizer =
        (int)
            Math.min(
                SmallJson.optional(directory.resolve("tokenizer_config.json"))
                    .path("model_max_length")
                    .asDouble(positions),
                positions);
    return new EncoderConfig(
        directory,
        layout,
        positive(file, config, distil ? "dim" : "hidden_size"),
        positive(file, config, distil ? "n_layers" : "num_hidden_layers"),
        positive(file, config, distil ? "n_heads" : "num_attention_heads"),
        positive(file, config, distil ? "hidden_dim" : "intermediate_size"),
        positive(file, config, "vocab_size"),
        positions,
        unplaced,
        layout != Layout.BERT
            ? 0
            : config.has("type_vocab_size") ? positive(file, config, "type_vocab_size") : 2,
        layout == Layout.MPNET ? config.path("relative_attention_num_buckets").asInt(32) : 0,
        distil ? 1e-12 : epsilon(file, config.path("layer_norm_eps")),
        Math.max(2, Math.min(positions - first, longest > 0 ? longest : fromTokenizer)),
        pooling,
        scaling,
        limits.path("do_lower_case").asBoolean(false) ? Case.LOWERED : Case.AS_IS,
        prefix);
  }

  /** Directories of the modules that have one. */
  static List<Path> places(Path directory) {
    return modules(directory.resolve("modules.json")).stream()
        .map(module -> inside(directory, module.path("path").asText("")))
        .filter(Files::isDirectory)
        .toList();
  }

  private static List<JsonNode> modules(Path file) {
    if (!Files.isRegularFile(file)) {
      return List.of();
    }
    JsonNode list = SmallJson.readAny(file);
    if (!list.isArray()) {
      throw new ContractException(file + ": expected a list of modules, found " + list);
    }
    List<JsonNode> modules = new ArrayList<>();
    list.forEach(modules::add);
    return modules;
  }

  private static Path inside(Path directory, String path) {
    if (!path.matches("[\\w.-]*") || path.startsWith(".")) {
      throw new ContractException(
          directory.resolve("modules.json") + ": '" + path + "' is no directory of the checkpoint");
    }
    return directory.resolve(path);
  }

  /** What sentence-transformers puts before every text unless told otherwise. */
  private static String prefix(Path file) {
    JsonNode config = SmallJson.optional(file);
    if (config.hasNonNull("truncate_dim")) {
      throw new ContractException(
          file
              + ": truncate_dim "
              + config.get("truncate_dim")
              + " is not supported: vectors keep their width; remove it");
    }
    JsonNode name = config.path("default_prompt_name");
    if (!name.isTextual()) {
      return "";
    }
    JsonNode prompt = config.path("prompts").path(name.textValue());
    if (!prompt.isTextual()) {
      throw new ContractException(
          file + ": default_prompt_name '" + name.textValue() + "' is not among the prompts");
    }
    return prompt.textValue();
  }

  /** Reads the flags of older files and the one word of newer ones. */
  private static Pooling pooling(Path file) {
    JsonNode config = SmallJson.optional(file);
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
    JsonNode found = config.path(key);
    if (!found.isMissingNode() && !found.isNull() && !found.asText().equals(supported)) {
      throw new ContractException(
          file
              + ": "
              + key
              + " "
              + found
              + " is not supported"
              + (supported.isEmpty() ? "" : "; supported: " + supported));
    }
    if (found.isContainerNode()) {
      throw new ContractException(file + ": " + key + " is not supported");
    }
  }

  private static double epsilon(Path file, JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return 1e-12;
    }
    if (!value.isNumber() || !(value.doubleValue() >= 0)) {
      throw new ContractException(
          file + ": layer_norm_eps is " + value + ", expected a number of at least 0");
    }
    return value.doubleValue();
  }

  private static int positive(Path file, JsonNode config, String key) {
    int value = config.path(key).asInt(0);
    if (value <= 0) {
      throw new ContractException(
          file
              + ": "
              + key
              + " must be a positive number, found "
              + (config.has(key) ? config.get(key) : "nothing"));
    }
    return value;
  }
}
