package io.knack.llm.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextEncoderTest {
  private static Path fixture(String name) {
    return Path.of("src/test/resources/encoder", name);
  }

  /**
   * The vectors of sentence-transformers and transformers: see tiny_encoders.py, other_encoders.py.
   */
  @ParameterizedTest
  @ValueSource(strings = {"mean", "cls", "xlm-roberta", "mpnet", "distilbert"})
  void vectorsEqualThoseOfSentenceTransformers(String name) throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(fixture(name).resolve("expected.json").toFile());
    List<String> texts = new ArrayList<>();
    expected.path("texts").forEach(text -> texts.add(text.asText()));
    try (TextEncoder encoder = TextEncoder.load(fixture(name), "cpu")) {
      assertThat(encoder.dimension()).isEqualTo(32);
      List<float[]> together = encoder.embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        float[] alone = encoder.embed(List.of(texts.get(i))).get(0);
        for (int j = 0; j < 32; j++) {
          float wanted = (float) expected.path("vectors").path(i).path(j).asDouble();
          assertThat(together.get(i)[j]).as(texts.get(i)).isCloseTo(wanted, within(1e-5f));
          assertThat(alone[j]).as(texts.get(i)).isCloseTo(wanted, within(1e-5f));
        }
      }
      assertThat(encoder.embed(List.of())).isEmpty();
    }
  }

  /** What is stored was encoded in one batch, what it is compared with in another. */
  @ParameterizedTest
  @ValueSource(strings = {"mean", "xlm-roberta", "mpnet", "distilbert"})
  void aVectorIsBitwiseTheSameAmongAnyTexts(String name) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      texts.add("how much is number " + i + " and where is my card ".repeat(i % 23));
    }
    try (TextEncoder encoder = TextEncoder.load(fixture(name), "cpu")) {
      List<float[]> all = encoder.embed(texts);
      for (int from = 0; from < 300; from += 37) {
        for (int count : new int[] {1, 2, 5, 20}) {
          int to = Math.min(300, from + count);
          List<float[]> some = encoder.embed(texts.subList(from, to));
          for (int i = from; i < to; i++) {
            assertThat(some.get(i - from)).as("%d of %d to %d", i, from, to).isEqualTo(all.get(i));
          }
        }
      }
    }
  }

  @Test
  void theDigestCoversWhatMakesVectorsAndNothingElse(@TempDir Path directory) throws IOException {
    Path copy = directory.resolve("copy");
    Files.createDirectories(copy.resolve("1_Pooling"));
    for (String file :
        List.of(
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "1_Pooling/config.json")) {
      Files.copy(fixture("mean").resolve(file), copy.resolve(file));
    }
    String digest = TextEncoder.digest(fixture("mean"));
    assertThat(TextEncoder.digest(copy)).isEqualTo(digest);
    Files.writeString(copy.resolve("README.md"), "a card");
    Path link = Files.createSymbolicLink(directory.resolve("link"), copy);
    assertThat(TextEncoder.digest(link)).isEqualTo(digest);

    Files.writeString(copy.resolve("1_Pooling/config.json"), "{\"pooling_mode\": \"cls\"}");
    assertThat(TextEncoder.digest(copy)).isNotEqualTo(digest);
    Files.delete(copy.resolve("model.safetensors"));
    assertThatThrownBy(() -> TextEncoder.digest(copy))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("no model.safetensors");
  }

  @Test
  void namesWhatItDoesNotSupport(@TempDir Path directory) throws IOException {
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("expected an encoder's checkpoint");
    Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"deberta-v2\"}");
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("model_type 'deberta-v2' is not supported");
    Files.copy(
        fixture("mean").resolve("config.json"),
        directory.resolve("config.json"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(
        directory.resolve("modules.json"), "[{\"type\": \"x.Dense\", \"path\": \"2_Dense\"}]");
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("the module 'Dense' is not supported");
  }
}
