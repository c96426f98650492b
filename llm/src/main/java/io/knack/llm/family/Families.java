package io.knack.llm.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ModelConfig;
import java.nio.file.Path;
import java.util.List;

/** The decoder families that can be run. Adding one adds a file and a line here. */
public final class Families {
  private static final List<Family> ALL =
      List.of(new Llama(), new Mistral(), new Qwen2(), new Qwen3());

  private Families() {}

  /** Reads config.json with the family it names, refusing what is not supported by name. */
  public static ModelConfig read(Path directory) {
    ConfigReader config = ConfigReader.of(directory);
    JsonNode quantization = config.node("quantization_config");
    if (quantization.isObject()) {
      throw new ContractException(
          config.path()
              + ": quantization_config ("
              + quantization.path("quant_method").asText("unnamed")
              + ") is not supported; use the unquantized checkpoint");
    }
    String architecture = config.architecture();
    for (Family family : ALL) {
      if (family.architecture().equals(architecture)) {
        ModelConfig model = family.read(config);
        config.refuseRest();
        return model;
      }
    }
    throw new ContractException(
        config.path()
            + ": architecture "
            + architecture
            + " is not supported; supported: "
            + ALL.stream().map(Family::architecture).toList());
  }
}
