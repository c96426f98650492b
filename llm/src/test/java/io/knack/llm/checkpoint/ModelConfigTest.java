package io.knack.llm.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.Fixtures;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options of config.json that change what a model computes. */
final class ModelConfigTest {
  @TempDir private Path directory;

  /** A fixture whose config.json says something more, first of all. */
  private Path with(String fixture, String option) throws IOException {
    Path model = Fixtures.copy(Fixtures.checkpoint(fixture), directory.resolve(fixture));
    Path config = model.resolve("config.json");
    Files.writeString(config, "{" + option + "," + Files.readString(config).strip().substring(1));
    return model;
  }

  /** As transformers 5.23 computes them; eight, since the engine rounds a vector's tail alike. */
  @Test
  void frequenciesAreThoseOfTransformersToTheLastBit() {
    assertThat(new RopeScaling.Llama3(8, 1, 4, 64).inverseFrequencies(500, 16))
        .containsExactly(
            1.0f,
            0.45986328f,
            0.09761663f,
            0.012156156f,
            0.00559017f,
            0.002570714f,
            0.001182177f,
            0.0005436398f);
    assertThat(new RopeScaling.Linear(3).inverseFrequencies(10_000, 16))
        .startsWith(0.33333334f, 0.10540926f);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "llama3 | \"attn_logit_softcapping\": 30 | attn_logit_softcapping = 30",
        "llama2 | \"is_causal\": false | is_causal is false",
        "llama2 | \"layer_types\": [\"sliding_attention\"] | layer_types has \"sliding_attention\"",
        "llama3 | \"original_max_position_embeddings\": 16 | original_max_position_embeddings is 16",
      })
  void anOptionThatIsNotHeededIsRefusedByName(String fixture, String option, String message)
      throws IOException {
    Path model = with(fixture, option);
    assertThatThrownBy(() -> ModelConfig.of(model))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  @Test
  void layersOfSeveralKindsAreRefusedWhereTheFamilyHasOne() throws IOException {
    Path model = Fixtures.copy(Fixtures.checkpoint("mistral"), directory.resolve("mistral"));
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceFirst("\\{", "{\"layer_types\": [\"sliding_attention\", \"full_attention\"],"));
    assertThatThrownBy(() -> ModelConfig.of(model))
        .hasMessageContaining("layer_types has \"full_attention\"");
    Fixtures.replace(config, "\"full_attention\"],", "\"sliding_attention\"],");
    assertThat(ModelConfig.of(model).windows()).doesNotContain(0);
    Fixtures.replace(config, "num_key_value_heads", "_heads");
    assertThatThrownBy(() -> ModelConfig.of(model))
        .hasMessageContaining("num_key_value_heads is missing");
  }

  @Test
  void anEmptyRopeScalingSaysNothing() throws IOException {
    Path model = with("llama3", "\"rope_scaling\": {}");
    assertThat(ModelConfig.of(model).rope()).isInstanceOf(RopeScaling.Llama3.class);
  }

  @Test
  void whatIsOfAnotherKindIsNamed() throws IOException {
    assertThatThrownBy(() -> ModelConfig.of(with("llama2", "\"rope_scaling\": \"linear\"")))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("config.json: rope_scaling is \"linear\", expected an object");
    Path model = Fixtures.copy(Fixtures.checkpoint("qwen2"), directory.resolve("stops"));
    for (String ids : List.of("[1, \"x\"]", "\"x\"", "1099511627776")) {
      Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": " + ids + "}");
      assertThatThrownBy(() -> ModelConfig.of(model))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining("generation_config.json: eos_token_id is " + ids.replace(", ", ","))
          .hasMessageContaining("expected a token id or a list of them");
    }
  }

  @Test
  void aHeadOfItsOwnBesideTiedEmbeddingsMustBeTheSame() throws IOException {
    Path model = Fixtures.copy(Fixtures.checkpoint("llama2"), directory.resolve("untied"));
    Fixtures.replace(
        model.resolve("config.json"),
        "\"tie_word_embeddings\": false",
        "\"tie_word_embeddings\": true");
    assertThatThrownBy(() -> LocalModel.load(model, LocalOptions.defaults()).close())
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("lm_head.weight differs from model.embed_tokens.weight");
  }

  @Test
  void whatIsNotHeededOfTheGenerationDefaultsIsTold() throws IOException {
    Path model = Fixtures.copy(Fixtures.checkpoint("qwen2"), directory.resolve("defaults"));
    Path file = model.resolve("generation_config.json");
    Files.writeString(
        file,
        """
        {"eos_token_id": [7, 9], "temperature": 0.7, "top_k": 20, "repetition_penalty": 1.1,
         "min_new_tokens": 0, "suppress_tokens": [3], "bad_words_ids": [], "num_beams": 1}
        """);
    assertThat(GenerationDefaults.of(model).unheeded()).containsExactly("suppress_tokens = [3]");
    assertThat(GenerationDefaults.of(model).repetitionPenalty()).isEqualTo(1.1);
    assertThat(ModelConfig.of(model).stopIds()).containsExactly(7, 9);
    Files.writeString(file, "{\"repetition_penalty\": 0}");
    assertThatThrownBy(() -> LocalModel.load(model, LocalOptions.defaults()).close())
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("repetition_penalty is 0, expected a number above 0");
    Files.delete(file);
    assertThat(GenerationDefaults.of(model).unheeded()).isEmpty();
    assertThat(GenerationDefaults.of(model).repetitionPenalty()).isEqualTo(1);
    assertThat(ModelConfig.of(model).stopIds()).containsExactly(256);
  }

  /**
   * As in transformers: old checkpoints have them in config.json, which a file of their own hides.
   */
  @Test
  void generationDefaultsAreThoseOfTheConfigWhereNoFileHasThem() throws IOException {
    Path model = Fixtures.copy(Fixtures.checkpoint("qwen2"), directory.resolve("defaults"));
    Path file = model.resolve("generation_config.json");
    Files.deleteIfExists(file);
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceFirst("\\{", "{\"repetition_penalty\": 1.5, \"no_repeat_ngram_size\": 2,"));
    assertThat(GenerationDefaults.of(model).repetitionPenalty()).isEqualTo(1.5);
    assertThat(GenerationDefaults.of(model).unheeded()).containsExactly("no_repeat_ngram_size = 2");
    assertThat(ModelConfig.of(model).stopIds()).containsExactly(256);
    Files.writeString(file, "{\"stop_strings\": [\"x\"]}");
    assertThat(GenerationDefaults.of(model).repetitionPenalty()).isEqualTo(1);
    assertThat(GenerationDefaults.of(model).unheeded()).containsExactly("stop_strings = [\"x\"]");
    assertThat(ModelConfig.of(model).stopIds()).isEmpty();
  }
}
