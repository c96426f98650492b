package io.knack.llm.lora;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import io.knack.llm.checkpoint.SafetensorsFile;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA adapter in memory: for each module a pair of float32 matrices.
 *
 * @param pairs by module path, such as {@code model.layers.0.self_attn.q_proj}
 */
public record PeftAdapter(AdapterConfig config, Map<String, Pair> pairs) {
  private static final String PREFIX = "base_model.model.";

  /** The linear layers of a block, as they are named in a checkpoint. */
  public static final List<String> MODULES =
      List.of(
          "self_attn.q_proj",
          "self_attn.k_proj",
          "self_attn.v_proj",
          "self_attn.o_proj",
          "mlp.gate_proj",
          "mlp.up_proj",
          "mlp.down_proj");

  /**
   * The low-rank factors of one module.
   *
   * @param a (r, in)
   * @param b (out, r)
   */
  public record Pair(NDArray a, NDArray b) {}

  /** Identity: comparing tensors would compute. */
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }

  /** (out, in) of a module of {@link #MODULES}. */
  public static long[] shape(ModelConfig model, String module) {
    return switch (module) {
      case "self_attn.q_proj" -> new long[] {model.queryWidth(), model.hidden()};
      case "self_attn.k_proj", "self_attn.v_proj" -> new long[] {model.keyWidth(), model.hidden()};
      case "self_attn.o_proj" -> new long[] {model.hidden(), model.queryWidth()};
      case "mlp.gate_proj", "mlp.up_proj" -> new long[] {model.feedForward(), model.hidden()};
      case "mlp.down_proj" -> new long[] {model.hidden(), model.feedForward()};
      default -> throw new IllegalArgumentException(module);
    };
  }

  /** What else a block holds, as PEFT sees it. */
  private static final List<String> OTHERS_OF_A_BLOCK =
      List.of(
          "",
          ".input_layernorm",
          ".self_attn",
          ".self_attn.q_norm",
          ".self_attn.k_norm",
          ".post_attention_layernorm",
          ".mlp",
          ".mlp.act_fn");

  /** What lies outside the blocks. */
  private static final List<String> OTHERS =
      List.of(
          "model",
          "model.embed_tokens",
          "model.layers",
          "model.norm",
          "model.rotary_emb",
          "lm_head");

  /**
   * Refuses targets that are no linear layer of a block, as PEFT does for most of them.
   *
   * @param where starts the message
   * @throws ContractException naming the first such module
   */
  static void checkLinear(String where, AdapterConfig config, ModelConfig model) {
    Stream<String> others =
        Stream.concat(
            OTHERS.stream(),
            IntStream.range(0, model.layers())
                .boxed()
                .flatMap(
                    layer ->
                        OTHERS_OF_A_BLOCK.stream().map(other -> "model.layers." + layer + other)));
    others
        .filter(other -> model.qkNorm() == QkNorm.PER_HEAD || !other.matches(".*[qk]_norm"))
        .filter(config::targets)
        .findFirst()
        .ifPresent(
            other -> {
              throw new ContractException(
                  where
                      + ": target_modules match "
                      + other
                      + ", which cannot be served; expected linear layers of a block: "
                      + MODULES);
            });
  }

  /**
   * Reads a PEFT directory and checks it against the model.
   *
   * @throws ContractException naming file and tensor
   */
  public static PeftAdapter read(
      Kernels kernels, NDManager owner, Path directory, ModelConfig model) {
    AdapterConfig config = AdapterConfig.read(directory);
    checkLinear(directory.resolve("adapter_config.json").toString(), config, model);
    Path tensors = directory.resolve("adapter_model.safetensors");
    if (!Files.exists(tensors)) {
      throw new ContractException(
          directory
              + ": has no adapter_model.safetensors"
              + (Files.exists(directory.resolve("adapter_model.bin"))
                  ? " but adapter_model.bin; other weight formats are not read, convert the adapter"
                      + " to safetensors"
                  : "; expected a PEFT adapter directory"));
    }
    SafetensorsFile file = SafetensorsFile.open(tensors);
    Map<String, Pair> pairs = new LinkedHashMap<>();
    Set<String> rest = new HashSet<>(file.entries().keySet());
    for (int layer = 0; layer < model.layers(); layer++) {
      for (String module : MODULES) {
        String path = "model.layers." + layer + "." + module;
        String a = PREFIX + path + ".lora_A.weight";
        String b = PREFIX + path + ".lora_B.weight";
        if (!rest.contains(a) && !rest.contains(b)) {
          continue;
        }
        if (!config.targets(path)) {
          throw new ContractException(
              file.path()
                  + ": has tensors of "
                  + path
                  + ", which adapter_config.json does not target");
        }
        rest.remove(a);
        rest.remove(b);
        long[] shape = shape(model, module);
        int rank = config.rank(path);
        pairs.put(
            path,
            new Pair(
                load(kernels, owner, file, a, rank, shape[1]),
                load(kernels, owner, file, b, shape[0], rank)));
      }
    }
    if (!rest.isEmpty()) {
      throw new ContractException(
          file.path()
              + ": tensor '"
              + rest.stream().sorted().findFirst().orElseThrow()
              + "' cannot be served: adapters on linear layers of the model's "
              + model.layers()
              + " blocks are supported");
    }
    if (pairs.isEmpty()) {
      throw new ContractException(file.path() + ": has no LoRA tensors");
    }
    return new PeftAdapter(config, pairs);
  }

  private static NDArray load(
      Kernels kernels, NDManager owner, SafetensorsFile file, String name, long... expected) {
    SafetensorsFile.Entry entry = file.entry(name);
    List<Long> wanted = java.util.Arrays.stream(expected).boxed().toList();
    if (!entry.shape().equals(wanted)) {
      throw new ContractException(
          file.path()
              + ": tensor '"
              + name
              + "' has shape "
              + entry.shape()
              + ", model and adapter_config.json ask for "
              + wanted);
    }
    DType type =
        switch (entry.type()) {
          case "F32" -> DType.F32;
          case "F16" -> DType.F16;
          case "BF16" -> DType.BF16;
          default ->
              throw new ContractException(
                  file.path()
                      + ": tensor '"
                      + name
                      + "' is "
                      + entry.type()
                      + "; supported: F32, F16, BF16");
        };
    try (NDManager scope = owner.newSubManager()) {
      NDArray raw =
          kernels.over(
              scope,
              file.map(entry, 0, Math.toIntExact(entry.bytes())),
              new ai.djl.ndarray.types.Shape(expected),
              type.carrier());
      if (type == DType.BF16) {
        raw = kernels.tensor(scope, "bits_as_bf16", raw);
      }
      NDArray copy =
          kernels.tensor(owner, "owned", raw, DType.F32.torchCode(), kernels.deviceName());
      if (kernels.number("all_finite", copy) == 0) {
        throw new ContractException(
            file.path() + ": tensor '" + name + "' has NaN or infinite values");
      }
      return copy;
    }
  }

  /** Writes a PEFT directory: float32 tensors, sorted by name. The directory must exist. */
  public void write(Kernels kernels, Path directory) throws IOException {
    TreeMap<String, NDArray> tensors = new TreeMap<>();
    pairs.forEach(
        (path, pair) -> {
          tensors.put(PREFIX + path + ".lora_A.weight", pair.a());
          tensors.put(PREFIX + path + ".lora_B.weight", pair.b());
        });
    Map<String, SafetensorsWriter.Declaration> declared = new TreeMap<>();
    tensors.forEach(
        (name, tensor) ->
            declared.put(
                name,
                new SafetensorsWriter.Declaration(
                    "F32",
                    java.util.Arrays.stream(tensor.getShape().getShape()).boxed().toList())));
    Files.createDirectories(directory);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(directory.resolve("adapter_model.safetensors"), declared)) {
      for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
        float[] values = kernels.floats(tensor.getValue());
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        writer.write(tensor.getKey(), bytes);
      }
    }
    config.write(directory);
  }
}
