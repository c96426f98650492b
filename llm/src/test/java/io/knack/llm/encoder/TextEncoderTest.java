package io.knack.llm.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
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

  private static Stream<Arguments> cases() throws IOException {
    JsonNode cases = new ObjectMapper().readTree(fixture("cases.json").toFile());
    return StreamSupport.stream(cases.spliterator(), false)
        .map(it -> Arguments.of(Named.of(it.path("name").asText(), it)));
  }

  /** The vectors of sentence-transformers where files say something else: see encoder_cases.py. */
  @ParameterizedTest
  @MethodSource("cases")
  void filesMeanWhatTheyMeanToSentenceTransformers(JsonNode it, @TempDir Path directory)
      throws IOException {
    copy(it.path("encoder").asText(), directory);
    for (Map.Entry<String, JsonNode> change : it.path("changes").properties()) {
      change(directory.resolve(change.getKey()), change.getValue());
    }
    List<String> texts = new ArrayList<>();
    it.path("texts").forEach(text -> texts.add(text.asText()));
    try (TextEncoder encoder = TextEncoder.load(directory, "cpu")) {
      List<float[]> vectors = encoder.embed(texts);
      for (int i = 0; i < texts.size(); i++) {
        for (int j = 0; j < 32; j++) {
          float wanted = (float) it.path("vectors").path(i).path(j).asDouble();
          assertThat(vectors.get(i)[j]).as(texts.get(i)).isCloseTo(wanted, within(1e-5f));
        }
      }
    }
  }

  /** As sentence-transformers did up to 5.1: of the prompt and the text as one. */
  @Test
  void whiteSpaceIsDroppedAtBothEndsAndKeptBehindThePrompt(@TempDir Path directory)
      throws IOException {
    copy("xlm-roberta", directory);
    List<float[]> plain;
    try (TextEncoder encoder = TextEncoder.load(directory, "cpu")) {
      plain = encoder.embed(List.of("a cat  dog", "a cat"));
      assertThat(encoder.embed(List.of(" \ta cat  dog "))).containsExactly(plain.get(0));
    }
    Files.writeString(
        directory.resolve("config_sentence_transformers.json"),
        "{\"prompts\": {\"query\": \"a cat \"}, \"default_prompt_name\": \"query\"}");
    try (TextEncoder encoder = TextEncoder.load(directory, "cpu")) {
      assertThat(encoder.embed(List.of(" dog ", ""))).containsExactlyElementsOf(plain);
    }
  }

  private static void copy(String name, Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(fixture(name))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = directory.resolve(fixture(name).relativize(file).toString());
        Files.createDirectories(target.resolveSibling("."));
        Files.copy(file, target);
      }
    }
  }

  private static void change(Path file, JsonNode change) throws IOException {
    if (change.isNull()) {
      Files.delete(file);
      return;
    }
    JsonNode content = new ObjectMapper().readTree(file.toFile());
    merge((ObjectNode) content, change);
    Files.writeString(file, content.toString());
  }

  private static void merge(ObjectNode content, JsonNode change) {
    for (Map.Entry<String, JsonNode> entry : change.properties()) {
      if (entry.getValue().isObject() && content.get(entry.getKey()) instanceof ObjectNode inner) {
        merge(inner, entry.getValue());
      } else {
        content.set(entry.getKey(), entry.getValue());
      }
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

  @ParameterizedTest
  @ValueSource(strings = {"0", "0 2 1", "1 0", "2 0 1", ""})
  void refusesModulesInAnotherOrder(String order, @TempDir Path directory) throws IOException {
    copy("cls", directory);
    Path file = directory.resolve("modules.json");
    JsonNode modules = new ObjectMapper().readTree(file.toFile());
    ArrayNode changed = new ObjectMapper().createArrayNode();
    for (String index : order.isEmpty() ? new String[0] : order.split(" ", -1)) {
      changed.add(modules.get(Integer.parseInt(index)));
    }
    Files.writeString(file, changed.toString());
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("modules.json: the modules [")
        .hasMessageContaining("supported: Transformer, Pooling and, behind them, Normalize");
  }

  @Test
  void refusesAnMpnetWithAnotherPaddingToken(@TempDir Path directory) throws IOException {
    copy("mpnet", directory);
    change(directory.resolve("config.json"), new ObjectMapper().readTree("{\"pad_token_id\": 0}"));
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("pad_token_id 0 is not supported for model_type 'mpnet'")
        .hasMessageContaining("supported: 1");
  }

  @Test
  void refusesATruncationSideThatIsNone(@TempDir Path directory) throws IOException {
    copy("mean", directory);
    change(
        directory.resolve("tokenizer_config.json"),
        new ObjectMapper().readTree("{\"truncation_side\": \"middle\"}"));
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("tokenizer_config.json: texts cannot be cut on the side 'middle'");
  }

  /** Each would give other vectors than sentence-transformers does. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "config_sentence_transformers.json | {'truncate_dim': 10} | truncate_dim 10 is not supported",
        "sentence_bert_config.json | {'tokenizer_args': {'model_max_length': 10}} | tokenizer_args",
        "sentence_bert_config.json | {'processor_kwargs': {'do_lower_case': true}} | processor_kwargs",
        "sentence_bert_config.json | {'max_seq_length': '12'} | max_seq_length is \"12\"",
        "sentence_bert_config.json | {'max_seq_length': -5} | expected a positive number of tokens",
        "config.json | {'layer_norm_eps': 'x'} | layer_norm_eps is \"x\", expected a number",
      })
  void refusesSettingsThatItDoesNotHeed(
      String file, String settings, String words, @TempDir Path directory) throws IOException {
    copy("cls", directory);
    Path changed = directory.resolve(file);
    if (!Files.exists(changed)) {
      Files.writeString(changed, "{}");
    }
    change(changed, new ObjectMapper().readTree(settings.replace('\'', '"')));
    assertThatThrownBy(() -> TextEncoder.load(directory, "cpu"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining(words);
  }
}
