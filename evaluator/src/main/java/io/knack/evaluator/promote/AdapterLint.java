package io.knack.evaluator.promote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import io.knack.llm.checkpoint.SafetensorsFile;
import io.knack.llm.checkpoint.SafetensorsFile.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds out before anything is served whether a target can serve an adapter. */
public final class AdapterLint {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";

  private final PromotePlan.Target target;
  private final String baseModel;
  private final @Nullable String baseRevision;

  /**
   * @param baseModel name that serving knows the base by; vLLM's resolver wants exactly this name
   * @param baseRevision null where serving runs none in particular
   */
  public AdapterLint(PromotePlan.Target target, String baseModel, @Nullable String baseRevision) {
    this.target = target;
    this.baseModel = baseModel;
    this.baseRevision = baseRevision;
  }

  /** Every problem, in words; empty when it can be served. */
  public List<String> problems(Path adapter) {
    List<String> problems = new ArrayList<>();
    JsonNode config = config(adapter, problems);
    if (config != null) {
      checkConfig(config, problems);
    }
    files(adapter, problems);
    Path weights = adapter.resolve(WEIGHTS);
    if (!Files.isRegularFile(weights)) {
      problems.add("has no " + WEIGHTS + ": only safetensors are served");
    } else if (config != null) {
      checkWeights(weights, config, problems);
    }
    return problems;
  }

  private static @Nullable JsonNode config(Path adapter, List<String> problems) {
    Path file = adapter.resolve(CONFIG);
    try {
      return Jsons.mapper().readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      problems.add(CONFIG + " is not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      problems.add("has no readable " + CONFIG);
    }
    return null;
  }

  private void checkConfig(JsonNode config, List<String> problems) {
    if (!config.path("peft_type").asText().equals("LORA")) {
      problems.add("peft_type is '" + config.path("peft_type").asText() + "', expected LORA");
    }
    String base = config.path("base_model_name_or_path").asText();
    if (!base.equals(baseModel)) {
      problems.add("was trained for base model '" + base + "', serving runs '" + baseModel + "'");
    }
    String revision = config.path("revision").asText("");
    if (baseRevision != null
        && !revision.isEmpty()
        && !revision.equals("null")
        && !revision.equals(baseRevision)) {
      problems.add(
          "was trained for revision " + revision + ", serving runs revision " + baseRevision);
    }
    int rank = rank(config);
    if (rank < 1) {
      problems.add("has no rank r");
    } else if (rank > target.maxRank()) {
      problems.add("has rank " + rank + ", the target serves at most " + target.maxRank());
    }
    if (!target.beyondPlainLora()) {
      if (config.path("use_dora").asBoolean()) {
        problems.add("uses DoRA, which the target does not serve");
      }
      if (present(config.path("modules_to_save"))) {
        problems.add("has modules_to_save, which the target does not serve");
      }
      String bias = config.path("bias").asText("none");
      if (!bias.equals("none") || config.path("lora_bias").asBoolean()) {
        problems.add("trains biases, which the target does not serve");
      }
    }
  }

  /** The highest rank of any module. */
  static int rank(JsonNode config) {
    int rank = config.path("r").asInt();
    for (JsonNode r : config.path("rank_pattern")) {
      rank = Math.max(rank, r.asInt());
    }
    return rank;
  }

  private static boolean present(JsonNode node) {
    return !node.isMissingNode() && !node.isNull() && !node.isEmpty();
  }

  private void files(Path adapter, List<String> problems) {
    try (Stream<Path> files = Files.walk(adapter)) {
      long bytes = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
        String name = file.getFileName().toString();
        if (name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".pkl")) {
          problems.add("holds " + name + ": weights that can run code are not served");
        }
        if (Files.isSymbolicLink(file)) {
          problems.add("holds the link " + name + ": a hand-over holds files alone");
        }
      }
      if (bytes > target.maxMegabytes() * 1_000_000L) {
        problems.add("has " + bytes / 1_000_000 + " MB, the target takes " + target.maxMegabytes());
      }
    } catch (IOException e) {
      problems.add("cannot be read: " + e.getMessage());
    }
  }

  private void checkWeights(Path weights, JsonNode config, List<String> problems) {
    try {
      SafetensorsFile file = SafetensorsFile.open(weights);
      Map<String, Double> norms = new TreeMap<>();
      int adapters = 0;
      for (Entry entry : file.entries().values()) {
        if (!entry.name().contains(".lora_")) {
          if (!target.beyondPlainLora()) {
            problems.add("holds the tensor " + entry.name() + ", which is no plain LoRA");
          }
          continue;
        }
        adapters++;
        double square = squares(file, entry);
        if (!Double.isFinite(square)) {
          problems.add("holds NaN or Inf in " + entry.name());
        } else {
          String module = entry.name().replaceAll("\\.lora_(embedding_)?[AB](\\.weight)?$", "");
          norms.merge(module, Math.sqrt(square), (a, b) -> a * b);
        }
      }
      if (adapters == 0) {
        problems.add(WEIGHTS + " holds no LoRA tensor");
      }
      double scale = scale(config);
      norms.forEach(
          (module, norm) -> {
            // |s B A| <= s |B| |A|: a bound that needs no product.
            if (norm * scale > target.maxNorm()) {
              problems.add(
                  String.format(
                      java.util.Locale.ROOT,
                      "%s may change its module by a norm of %.0f, the plan allows %.0f",
                      module,
                      norm * scale,
                      target.maxNorm()));
            }
          });
    } catch (ContractException e) {
      problems.add(String.valueOf(e.getMessage()));
    }
  }

  private static double scale(JsonNode config) {
    double rank = Math.max(1, config.path("r").asInt(1));
    double alpha = config.path("lora_alpha").asDouble(rank);
    return alpha / (config.path("use_rslora").asBoolean() ? Math.sqrt(rank) : rank);
  }

  /** Sum of squares; not finite when any value is not, or when the type is unknown. */
  private static double squares(SafetensorsFile file, Entry entry) {
    double sum = 0;
    int stride = 1 << 24;
    for (long from = 0; from < entry.bytes(); from += stride) {
      int length = (int) Math.min(stride, entry.bytes() - from);
      ByteBuffer bytes = file.map(entry, from, length).order(ByteOrder.LITTLE_ENDIAN);
      while (bytes.hasRemaining()) {
        double value =
            switch (entry.type()) {
              case "F32" -> bytes.getFloat();
              case "BF16" -> Float.intBitsToFloat(bytes.getShort() << 16);
              case "F16" -> half(bytes.getShort());
              case "F64" -> bytes.getDouble();
              default -> {
                bytes.position(bytes.limit());
                yield Double.NaN;
              }
            };
        sum += value * value;
      }
    }
    return sum;
  }

  private static double half(short bits) {
    int exponent = (bits >> 10) & 0x1f;
    int mantissa = bits & 0x3ff;
    double sign = bits < 0 ? -1 : 1;
    if (exponent == 0x1f) {
      return mantissa == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * Math.scalb(mantissa / 1024.0, -14)
        : sign * Math.scalb(1 + mantissa / 1024.0, exponent - 15);
  }

  /**
   * How llama.cpp is given the adapter.
   *
   * @param loraAlpha to be written into the copy of {@code adapter_config.json} that is converted:
   *     llama.cpp scales by alpha / r whatever the adapter says, so that an rsLoRA adapter needs
   *     alpha * sqrt(r)
   */
  public record LlamaCpp(List<String> arguments, double loraAlpha) {}

  /** Conversion for llama.cpp's server. */
  public static LlamaCpp llamaCpp(Path adapter) {
    JsonNode config = config(adapter, new ArrayList<>());
    if (config == null) {
      throw new ContractException("adapter " + adapter + " has no readable " + CONFIG);
    }
    double alpha = config.path("lora_alpha").asDouble();
    if (config.path("use_rslora").asBoolean()) {
      alpha *= Math.sqrt(config.path("r").asDouble());
    }
    return new LlamaCpp(
        List.of(
            "convert_lora_to_gguf.py",
            "--base-model-id",
            config.path("base_model_name_or_path").asText(),
            "--outtype",
            "f16",
            String.valueOf(adapter.getFileName())),
        alpha);
  }
}
