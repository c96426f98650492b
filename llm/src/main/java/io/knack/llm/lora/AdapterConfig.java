package io.knack.llm.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.SmallJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * PEFT's {@code adapter_config.json} for LoRA, as far as it changes what an adapter computes.
 *
 * @param rankPattern overrides of the rank by module name, suffix or regular expression; the first
 *     that matches counts
 * @param scaling of alpha over the rank
 * @param targets module names or suffixes, {@code all-linear} alone, or one regular expression
 * @param baseModel the name the base went by in training; informative
 */
public record AdapterConfig(
    int rank,
    double alpha,
    Scaling scaling,
    Map<String, Integer> rankPattern,
    Map<String, Double> alphaPattern,
    Targets targets,
    double dropout,
    @Nullable String baseModel) {

  /** How alpha becomes a factor. */
  public enum Scaling {
    /** {@code alpha / r}. */
    RANK,
    /** {@code alpha / sqrt(r)}: rank-stabilised LoRA. */
    ROOT_OF_RANK
  }

  /** Which modules have an adapter. */
  public sealed interface Targets {
    /** Full module paths or their last parts. */
    record Names(List<String> names) implements Targets {}

    /** A regular expression for the full module path. */
    record Regex(String pattern) implements Targets {}

    /** Every linear layer of a block: all but the output head. */
    record AllLinear() implements Targets {}

    /**
     * Others without some.
     *
     * @param layers the blocks that count; empty for all
     * @param excluded null for none
     */
    record Within(Targets all, List<Integer> layers, @Nullable Targets excluded)
        implements Targets {}
  }

  /** Options that do not matter at inference, or say nothing new. */
  private static final Set<String> HARMLESS =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "revision",
          "inference_mode",
          "task_type",
          "lora_dropout",
          "init_lora_weights",
          "peft_version",
          "runtime_config",
          "loftq_config",
          "eva_config",
          "corda_config",
          "lora_ga_config",
          "megatron_core",
          "ephemeral_gpu_offload",
          "ensure_weight_tying",
          "qalora_group_size");

  /** Initialisations after which PEFT computes with another base. */
  private static final Pattern CHANGES_BASE =
      Pattern.compile("(?i)(pissa|corda|olora|loftq|lora_ga).*");

  /** What PEFT's {@code layers_pattern} may say: the name of the list of blocks. */
  private static final Set<String> BLOCKS = Set.of("layers", "[\"layers\"]");

  private static final Pattern BLOCK = Pattern.compile(".*\\.layers\\.(\\d+)\\..*");

  public AdapterConfig {
    rankPattern = new LinkedHashMap<>(rankPattern);
    alphaPattern = new LinkedHashMap<>(alphaPattern);
    if (rank < 1) {
      throw new ContractException("adapter_config.json: r is " + rank + ", expected at least 1");
    }
  }

  /** Plain LoRA on named modules. */
  public static AdapterConfig of(int rank, double alpha, Targets targets) {
    return new AdapterConfig(rank, alpha, Scaling.RANK, Map.of(), Map.of(), targets, 0, null);
  }

  /**
   * Reads an adapter directory's configuration; refuses by name what cannot be served.
   *
   * @throws ContractException naming the file and the option
   */
  public static AdapterConfig read(Path directory) {
    Path path = directory.resolve("adapter_config.json");
    if (!Files.isRegularFile(path)) {
      throw new ContractException(path + ": no such file; expected a PEFT adapter directory");
    }
    JsonNode root = SmallJson.read(path);
    if (!root.has("peft_type")) {
      throw new ContractException(path + ": peft_type is missing, expected LORA");
    }
    require(path, root, "peft_type", "LORA");
    require(path, root, "bias", "none");
    String start = root.path("init_lora_weights").asText("");
    if (CHANGES_BASE.matcher(start).matches()) {
      throw new ContractException(
          path
              + ": init_lora_weights is '"
              + start
              + "', which changes the base as well and is not supported; convert the adapter to"
              + " plain LoRA (PEFT: save_pretrained with path_initial_model_for_weight_conversion)");
    }
    Set<String> understood =
        Set.of(
            "peft_type",
            "bias",
            "r",
            "lora_alpha",
            "use_rslora",
            "rank_pattern",
            "alpha_pattern",
            "target_modules",
            "layers_to_transform",
            "layers_pattern",
            "exclude_modules");
    for (Map.Entry<String, JsonNode> field : root.properties()) {
      JsonNode value = field.getValue();
      boolean silent =
          value.isNull()
              || (value.isBoolean() && !value.booleanValue())
              || (value.isContainerNode() && value.isEmpty())
              || (value.isTextual() && value.textValue().isEmpty());
      if (!understood.contains(field.getKey()) && !HARMLESS.contains(field.getKey()) && !silent) {
        throw new ContractException(
            path
                + ": "
                + field.getKey()
                + " = "
                + value
                + " is not supported; only plain LoRA on linear layers is");
      }
    }
    int rank = rank(path, "r", root.path("r"));
    double alpha = alpha(path, "lora_alpha", root.path("lora_alpha"));
    Map<String, Integer> ranks = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.path("rank_pattern").properties()) {
      ranks.put(
          entry.getKey(), rank(path, "rank_pattern '" + entry.getKey() + "'", entry.getValue()));
      var unused = regex(path, "rank_pattern", entry.getKey());
    }
    Map<String, Double> alphas = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.path("alpha_pattern").properties()) {
      alphas.put(
          entry.getKey(), alpha(path, "alpha_pattern '" + entry.getKey() + "'", entry.getValue()));
      var unused = regex(path, "alpha_pattern", entry.getKey());
    }
    return new AdapterConfig(
        rank,
        alpha,
        flag(path, root, "use_rslora") ? Scaling.ROOT_OF_RANK : Scaling.RANK,
        ranks,
        alphas,
        within(path, root, targets(path, "target_modules", root.path("target_modules"))),
        root.path("lora_dropout").asDouble(0),
        root.path("base_model_name_or_path").isTextual()
            ? root.path("base_model_name_or_path").textValue()
            : null);
  }

  private static boolean flag(Path path, JsonNode root, String key) {
    JsonNode node = root.path(key);
    if (!node.isBoolean() && !node.isNull() && !node.isMissingNode()) {
      throw wrong(path, key, node, "true or false");
    }
    return node.booleanValue();
  }

  /** A whole number, which may be written with a fraction of nought. */
  private static int rank(Path path, String key, JsonNode node) {
    if (!node.canConvertToExactIntegral() || !node.canConvertToInt() || node.intValue() < 1) {
      throw wrong(path, key, node, "a whole number of at least 1");
    }
    return node.intValue();
  }

  private static double alpha(Path path, String key, JsonNode node) {
    if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
      throw wrong(path, key, node, "a number");
    }
    return node.doubleValue();
  }

  private static ContractException wrong(Path path, String key, JsonNode found, String expected) {
    return new ContractException(
        path
            + ": "
            + key
            + " is "
            + (found.isMissingNode() ? "missing" : found)
            + ", expected "
            + expected);
  }

  private static Targets within(Path path, JsonNode root, Targets all) {
    List<Integer> layers = new ArrayList<>();
    JsonNode blocks = root.path("layers_to_transform");
    for (JsonNode block : blocks.isArray() ? blocks : List.of(blocks)) {
      if (block.isInt()) {
        layers.add(block.intValue());
      } else if (!block.isNull() && !block.isMissingNode()) {
        throw new ContractException(
            path
                + ": layers_to_transform is "
                + blocks
                + ", expected a number or a list of numbers");
      }
    }
    JsonNode pattern = root.path("layers_pattern");
    String blockName = pattern.isTextual() ? pattern.textValue() : pattern.toString();
    boolean named =
        pattern.isTextual() ? !blockName.isEmpty() : pattern.isArray() && !pattern.isEmpty();
    if (!layers.isEmpty() && named && !BLOCKS.contains(blockName)) {
      throw new ContractException(
          path + ": layers_pattern is " + pattern + ", which is not supported; supported: layers");
    }
    JsonNode without = root.path("exclude_modules");
    boolean excludes = without.isTextual() ? !without.textValue().isEmpty() : !without.isEmpty();
    Targets excluded = excludes ? targets(path, "exclude_modules", without) : null;
    return layers.isEmpty() && excluded == null
        ? all
        : new Targets.Within(all, List.copyOf(layers), excluded);
  }

  private static Targets targets(Path path, String key, JsonNode node) {
    if (node.isArray()) {
      List<String> names = new ArrayList<>();
      node.forEach(name -> names.add(name.asText()));
      return new Targets.Names(List.copyOf(names));
    }
    if (!node.isTextual()) {
      throw wrong(path, key, node, "a list of module names, a regular expression or all-linear");
    }
    if (node.textValue().equals("all-linear")) {
      return new Targets.AllLinear();
    }
    var unused = regex(path, key, node.textValue());
    return new Targets.Regex(node.textValue());
  }

  private static ModulePattern regex(Path path, String key, String pattern) {
    try {
      return new ModulePattern(pattern);
    } catch (PatternSyntaxException e) {
      throw new ContractException(
          path + ": " + key + " '" + pattern + "' is not a regular expression", e);
    }
  }

  private static void require(Path path, JsonNode root, String key, String value) {
    if (!root.path(key).isMissingNode() && !root.path(key).asText().equals(value)) {
      throw new ContractException(
          path
              + ": "
              + key
              + " is "
              + root.path(key)
              + ", which is not supported; supported: "
              + value);
    }
  }

  /** Whether a module, such as {@code model.layers.0.self_attn.q_proj}, has an adapter. */
  public boolean targets(String module) {
    return matches(targets, module);
  }

  private static boolean matches(Targets targets, String module) {
    if (targets instanceof Targets.Within within) {
      return matches(within.all(), module)
          && (within.layers().isEmpty()
              || within.layers().contains(block(module))
              || (within.all() instanceof Targets.Names names && names.names().contains(module)))
          && (within.excluded() == null || !matches(within.excluded(), module));
    }
    if (targets instanceof Targets.Names names) {
      return names.names().stream()
          .anyMatch(name -> module.equals(name) || module.endsWith("." + name));
    }
    if (targets instanceof Targets.Regex regex) {
      return new ModulePattern(regex.pattern()).matches(module);
    }
    return PeftAdapter.MODULES.stream().anyMatch(linear -> module.endsWith("." + linear));
  }

  private static int block(String module) {
    Matcher matcher = BLOCK.matcher(module);
    return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
  }

  public int rank(String module) {
    return first(rankPattern, module, rank);
  }

  /** The factor on {@code B A x} for a module. */
  public double scale(String module) {
    double over = scaling == Scaling.RANK ? rank(module) : Math.sqrt(rank(module));
    return first(alphaPattern, module, alpha) / over;
  }

  /** PEFT's rule: a key is a regular expression for the end of the path, after a dot. */
  private static <T> T first(Map<String, T> pattern, String module, T otherwise) {
    for (Map.Entry<String, T> entry : pattern.entrySet()) {
      if (new ModulePattern("(.*\\.)?(" + entry.getKey() + ")").matches(module)) {
        return entry.getValue();
      }
    }
    return otherwise;
  }

  /** Writes {@code adapter_config.json} the way PEFT reads it. */
  public void write(Path directory) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode root = json.createObjectNode();
    root.put("peft_type", "LORA");
    root.put("task_type", "CAUSAL_LM");
    root.put("base_model_name_or_path", baseModel);
    root.put("r", rank);
    if (alpha == Math.rint(alpha)) {
      root.put("lora_alpha", (long) alpha);
    } else {
      root.put("lora_alpha", alpha);
    }
    root.put("lora_dropout", dropout);
    root.put("use_rslora", scaling == Scaling.ROOT_OF_RANK);
    root.put("bias", "none");
    root.put("fan_in_fan_out", false);
    root.put("inference_mode", true);
    root.put("init_lora_weights", true);
    ObjectNode ranks = root.putObject("rank_pattern");
    rankPattern.forEach(ranks::put);
    ObjectNode alphas = root.putObject("alpha_pattern");
    alphaPattern.forEach(alphas::put);
    if (targets instanceof Targets.Within within) {
      write(root, "target_modules", within.all());
      if (!within.layers().isEmpty()) {
        within.layers().forEach(root.putArray("layers_to_transform")::add);
      }
      if (within.excluded() != null) {
        write(root, "exclude_modules", within.excluded());
      }
    } else {
      write(root, "target_modules", targets);
    }
    Files.writeString(
        directory.resolve("adapter_config.json"),
        json.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
  }

  private static void write(ObjectNode root, String key, Targets targets) {
    if (targets instanceof Targets.Names names) {
      names.names().forEach(root.putArray(key)::add);
    } else if (targets instanceof Targets.Regex regex) {
      root.put(key, regex.pattern());
    } else {
      root.put(key, "all-linear");
    }
  }
}
