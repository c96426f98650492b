package io.knack.llm.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.Fixtures;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.lora.AdapterConfig.Targets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterConfigTest {
  @TempDir private Path directory;

  private AdapterConfig read(String rest) throws IOException {
    Files.writeString(
        directory.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": 8, \"lora_alpha\": 16, " + rest + "}");
    return AdapterConfig.read(directory);
  }

  @Test
  void namesAreWholePathsOrTheirEnds() throws IOException {
    AdapterConfig config = read("\"target_modules\": [\"q_proj\", \"mlp.up_proj\"]");
    assertThat(config.targets("model.layers.3.self_attn.q_proj")).isTrue();
    assertThat(config.targets("model.layers.3.mlp.up_proj")).isTrue();
    assertThat(config.targets("model.layers.3.mlp.gate_proj")).isFalse();
    assertThat(config.targets("model.layers.3.self_attn.xq_proj")).isFalse();
  }

  @Test
  void expressionsMatchWholePaths() throws IOException {
    AdapterConfig config = read("\"target_modules\": \".*\\\\.[12]\\\\..*_proj\"");
    assertThat(config.targets("model.layers.1.self_attn.q_proj")).isTrue();
    assertThat(config.targets("model.layers.3.self_attn.q_proj")).isFalse();
  }

  @Test
  void blocksAndExclusionsCount() throws IOException {
    AdapterConfig config =
        read(
            "\"target_modules\": [\"q_proj\", \"up_proj\"], \"layers_to_transform\": [0, 2],"
                + " \"layers_pattern\": \"layers\", \"exclude_modules\": [\"2.mlp.up_proj\"]");
    assertThat(config.targets("model.layers.0.self_attn.q_proj")).isTrue();
    assertThat(config.targets("model.layers.1.self_attn.q_proj")).isFalse();
    assertThat(config.targets("model.layers.2.self_attn.q_proj")).isTrue();
    assertThat(config.targets("model.layers.0.mlp.up_proj")).isTrue();
    assertThat(config.targets("model.layers.2.mlp.up_proj")).isFalse();
    AdapterConfig one = read("\"target_modules\": [\"q_proj\"], \"layers_to_transform\": 1");
    assertThat(one.targets("model.layers.1.self_attn.q_proj")).isTrue();
    assertThat(one.targets("model.layers.0.self_attn.q_proj")).isFalse();
  }

  @Test
  void whatIsWrittenReadsTheSame() throws IOException {
    AdapterConfig config =
        read(
            "\"target_modules\": [\"q_proj\"], \"layers_to_transform\": [1], \"exclude_modules\":"
                + " \".*k_proj\", \"use_rslora\": true, \"rank_pattern\": {\"q_proj\": 4},"
                + " \"alpha_pattern\": {\"q_proj\": 2.5}");
    config.write(directory);
    assertThat(AdapterConfig.read(directory)).isEqualTo(config);
    assertThat(config.scale("model.layers.1.self_attn.q_proj")).isEqualTo(1.25);
    assertThat(config.scale("model.layers.1.self_attn.v_proj")).isEqualTo(16 / Math.sqrt(8));
  }

  @Test
  void whatCannotBeServedIsRefusedByName() {
    assertThatThrownBy(() -> read("\"target_modules\": [\"q_proj\"], \"bias\": \"all\""))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("bias");
    assertThatThrownBy(
            () -> read("\"target_modules\": [\"q_proj\"], \"modules_to_save\": [\"lm_head\"]"))
        .hasMessageContaining("modules_to_save");
    for (String flag : List.of("1", "\"true\"")) {
      assertThatThrownBy(() -> read("\"target_modules\": [\"q_proj\"], \"use_rslora\": " + flag))
          .hasMessageContaining("use_rslora is " + flag + ", expected true or false");
    }
    assertThatThrownBy(() -> read("\"target_modules\": \"(\""))
        .hasMessageContaining("not a regular expression");
    assertThatThrownBy(
            () ->
                read(
                    "\"target_modules\": [\"q_proj\"], \"layers_to_transform\": [1],"
                        + " \"layers_pattern\": \"h\""))
        .hasMessageContaining("layers_pattern");
    assertThatThrownBy(
            () -> read("\"target_modules\": [\"q_proj\"], \"layers_to_transform\": [\"x\"]"))
        .hasMessageContaining("layers_to_transform");
  }

  @Test
  void initialisationsThatChangeTheBaseAreRefused(@TempDir Path directory) throws IOException {
    for (String start : List.of("pissa_niter_4", "olora", "loftq")) {
      write(directory, "\"init_lora_weights\": \"" + start + "\"");
      assertThatThrownBy(() -> AdapterConfig.read(directory))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining("init_lora_weights is '" + start + "'");
    }
    write(directory, "\"init_lora_weights\": \"gaussian\"");
    assertThat(AdapterConfig.read(directory).rank()).isEqualTo(4);
  }

  @Test
  void patternsAreRegularExpressionsAsPythonWritesThem(@TempDir Path directory) throws IOException {
    write(directory, "\"rank_pattern\": {\"layers\\\\.(?P<n>[01])\\\\..*\": 2}");
    AdapterConfig config = AdapterConfig.read(directory);
    assertThat(config.rank("model.layers.1.self_attn.q_proj")).isEqualTo(2);
    assertThat(config.rank("model.layers.2.self_attn.q_proj")).isEqualTo(4);
    for (String wrong :
        List.of(
            "\"rank_pattern\": {\"(\": 2}",
            "\"rank_pattern\": {\"q_proj\": 0}",
            "\"alpha_pattern\": {\"q_proj\": \"2\"}")) {
      write(directory, wrong);
      assertThatThrownBy(() -> AdapterConfig.read(directory))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining("_pattern");
    }
  }

  @Test
  void ranksMayBeWrittenAsFractionsAndWhatIsWrongIsSaid() throws IOException {
    String rest = ", \"peft_type\": \"LORA\", \"target_modules\": [\"q_proj\"]";
    assertThat(readWhole("\"r\": 4.0, \"lora_alpha\": 8" + rest).rank()).isEqualTo(4);
    for (List<String> wrong :
        List.of(
            List.of("\"lora_alpha\": 8", "r is missing, expected a whole number of at least 1"),
            List.of("\"r\": 4.5, \"lora_alpha\": 8", "r is 4.5, expected a whole number"),
            List.of("\"r\": \"4\", \"lora_alpha\": 8", "r is \"4\", expected a whole number"),
            List.of("\"r\": 0, \"lora_alpha\": 8", "r is 0, expected a whole number"),
            List.of("\"r\": 4", "lora_alpha is missing, expected a number"),
            List.of("\"r\": 4, \"lora_alpha\": null", "lora_alpha is null, expected a number"))) {
      assertThatThrownBy(() -> readWhole(wrong.get(0) + rest))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining("adapter_config.json: " + wrong.get(1));
    }
    assertThatThrownBy(() -> read("\"bias\": \"none\""))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("target_modules is missing, expected a list of module names");
  }

  @Test
  void whatChangesTheForwardPassOrTheMethodIsRefusedByName() throws IOException {
    for (String option : List.of("arrow_config", "megatron_config")) {
      write(directory, "\"" + option + "\": null");
      assertThat(AdapterConfig.read(directory).rank()).isEqualTo(4);
      write(directory, "\"" + option + "\": {\"top_k\": 2}");
      assertThatThrownBy(() -> AdapterConfig.read(directory))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining(option + " = {\"top_k\":2} is not supported");
    }
    assertThatThrownBy(
            () -> readWhole("\"r\": 4, \"lora_alpha\": 8, \"target_modules\": [\"q_proj\"]"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("peft_type is missing, expected LORA");
  }

  @Test
  void onlyLinearLayersOfABlockMayBeTargeted() {
    ModelConfig llama = ModelConfig.of(Fixtures.checkpoint("llama2"));
    ModelConfig qwen3 = ModelConfig.of(Fixtures.checkpoint("qwen3"));
    for (String other : List.of("input_layernorm", "model.norm", "mlp", "embed_tokens")) {
      assertThatThrownBy(() -> check(llama, new Targets.Names(List.of("q_proj", other))))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining(other + ", which cannot be served; expected linear layers");
    }
    assertThatThrownBy(() -> check(llama, new Targets.Regex("model\\..*")))
        .hasMessageContaining("model.embed_tokens, which cannot be served");
    Targets norms = new Targets.Names(List.of("q_proj", "q_norm"));
    assertThatCode(() -> check(llama, norms)).doesNotThrowAnyException();
    assertThatThrownBy(() -> check(qwen3, norms))
        .hasMessageContaining("model.layers.0.self_attn.q_norm, which cannot be served");
    assertThatCode(() -> check(qwen3, new Targets.AllLinear())).doesNotThrowAnyException();
  }

  private static void check(ModelConfig model, Targets targets) {
    PeftAdapter.checkLinear("adapter", AdapterConfig.of(4, 8, targets), model);
  }

  private AdapterConfig readWhole(String options) throws IOException {
    Files.writeString(directory.resolve("adapter_config.json"), "{" + options + "}");
    return AdapterConfig.read(directory);
  }

  private static void write(Path directory, String option) throws IOException {
    Files.writeString(
        directory.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8, \"target_modules\": [\"q_proj\"], "
            + option
            + "}");
  }

  @Test
  void anExpressionThatTriesEveryWayIsRefused() {
    String path = "model.layers.0.self_attn.q_proj";
    assertThat(new ModulePattern("model\\.(?P<l>layers)\\.\\d+\\..*q_proj").matches(path)).isTrue();
    assertThatThrownBy(() -> new ModulePattern("((((.*)*)*)*)*Z").matches(path))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("'((((.*)*)*)*)*Z' takes too long");
  }
}
