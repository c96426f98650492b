package io.knack.trainer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.llm.lora.AdapterConfig;
import io.knack.llm.train.LoraLayout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An adapter's flat row as a PEFT directory, and back. */
final class PeftFiles {
  private static final String TENSORS = "adapter_model.safetensors";

  private PeftFiles() {}

  static void write(
      Path directory,
      LoraLayout layout,
      AdapterConfig config,
      @Nullable String revision,
      float[] row)
      throws IOException {
    Map<String, float[]> tensors = new TreeMap<>();
    for (LoraLayout.Matrix matrix : layout.matrices()) {
      tensors.put(
          matrix.tensor(),
          java.util.Arrays.copyOfRange(row, matrix.offset(), matrix.offset() + matrix.size()));
    }
    Tensors.write(directory.resolve(TENSORS), tensors, LoraTraining.shapes(layout));
    ObjectNode json = Jsons.mapper().createObjectNode();
    json.putPOJO("alpha_pattern", config.alphaPattern());
    json.put("base_model_name_or_path", config.baseModel());
    json.put("bias", "none");
    json.put("inference_mode", true);
    if (config.alpha() == Math.rint(config.alpha())) {
      json.put("lora_alpha", (long) config.alpha());
    } else {
      json.put("lora_alpha", config.alpha());
    }
    json.put("lora_dropout", config.dropout());
    json.put("peft_type", "LORA");
    json.put("r", config.rank());
    json.putPOJO("rank_pattern", config.rankPattern());
    json.put("revision", revision);
    var targets = json.putArray("target_modules");
    if (config.targets() instanceof AdapterConfig.Targets.Regex regex) {
      json.put("target_modules", regex.pattern());
    } else {
      layout.matrices().stream()
          .map(m -> m.module().substring(m.module().lastIndexOf('.') + 1))
          .distinct()
          .sorted()
          .forEach(targets::add);
    }
    json.put("task_type", "CAUSAL_LM");
    json.put("use_dora", false);
    json.put("use_rslora", config.scaling() == AdapterConfig.Scaling.ROOT_OF_RANK);
    DurableFiles.replace(
        directory.resolve("adapter_config.json"),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
  }

  /** The row of an adapter that has exactly the layout's matrices. */
  static float[] read(Path directory, LoraLayout layout) {
    Map<String, float[]> tensors = Tensors.read(directory.resolve(TENSORS));
    float[] row = new float[layout.size()];
    for (LoraLayout.Matrix matrix : layout.matrices()) {
      float[] values = tensors.remove(matrix.tensor());
      if (values == null || values.length != matrix.size()) {
        throw new ContractException(
            directory
                + ": expected "
                + matrix.tensor()
                + " of shape ["
                + matrix.rows()
                + ", "
                + matrix.columns()
                + "], found "
                + (values == null ? "none" : values.length + " numbers")
                + "; rank, targets and base must be those of the adapter that training goes on"
                + " from");
      }
      System.arraycopy(values, 0, row, matrix.offset(), values.length);
    }
    if (!tensors.isEmpty()) {
      throw new ContractException(
          directory
              + ": has "
              + tensors.keySet().iterator().next()
              + ", which the plan's targets leave out; add it to targets");
    }
    return row;
  }
}
