package io.knack.llm.lora;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.SafetensorsFile;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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

  /** The modules of a model that a configuration targets, block by block. */
  public static List<String> targeted(AdapterConfig config, ModelConfig model) {
    List<String> found = new ArrayList<>();
    for (int layer = 0; layer < model.layers(); layer++) {
      for (String module : MODULES) {
        String path = "model.layers." + layer + "." + module;
        if (config.targets(path)) {
          found.add(path);
        }
      }
    }
    if (found.isEmpty()) {
      throw new ContractException(
          "adapter: target_modules "
              + config.targets()
              + " match no linear layer of a block; these have "
              + MODULES);
    }
    return found;
  }

  /**
   * Reads a PEFT directory and checks it against the model.
   *
   * @throws ContractException naming file and tensor
   */
  public static PeftAdapter read(
      Kernels kernels, NDManager owner, Path directory, ModelConfig model) {
    AdapterConfig config = AdapterConfig.read(directory);
    SafetensorsFile file = SafetensorsFile.open(directory.resolve("adapter_model.safetensors"));
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
