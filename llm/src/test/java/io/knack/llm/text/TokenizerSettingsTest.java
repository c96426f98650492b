package io.knack.llm.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Against what transformers makes of the same files: see make_tokenizers.py. */
class TokenizerSettingsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path directory;

  @TestFactory
  Stream<DynamicTest> tokensAreThoseOfTransformers() throws IOException {
    JsonNode root = JSON.readTree(Path.of("src/test/resources/tokenizers.json").toFile());
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode one : root.path("cases")) {
      String name = one.path("name").textValue();
      tests.add(DynamicTest.dynamicTest(name, () -> check(root, one)));
    }
    assertThat(tests).hasSize(20);
    return tests.stream();
  }

  private void check(JsonNode root, JsonNode one) throws IOException {
    Path checkpoint = Files.createTempDirectory(directory, "checkpoint");
    JsonNode file = root.path("files").path(one.path("file").textValue());
    JSON.writeValue(checkpoint.resolve("tokenizer.json").toFile(), file);
    JSON.writeValue(checkpoint.resolve("tokenizer_config.json").toFile(), one.path("settings"));
    JSON.writeValue(checkpoint.resolve("config.json").toFile(), one.path("config"));
    try (Tokenizer tokenizer = Tokenizer.load(checkpoint)) {
      for (int i = 0; i < root.path("texts").size(); i++) {
        String text = root.path("texts").get(i).textValue();
        List<Integer> expected = new ArrayList<>();
        one.path("ids").get(i).forEach(id -> expected.add(id.intValue()));
        List<Integer> ids = tokenizer.encode(text, Tokenizer.Specials.ADDED);
        assertThat(ids).as(text).isEqualTo(expected);
        assertThat(tokenizer.decode(ids)).isEqualTo(one.path("decoded").get(i).textValue());
        List<Integer> shown =
            ids.stream().filter(id -> !tokenizer.specialIds().contains(id)).toList();
        assertThat(tokenizer.decodeAll(shown)).isEqualTo(tokenizer.decode(ids));
      }
    }
    Map<String, Object> named = TokenizerSettings.of(checkpoint).named();
    assertThat(JSON.valueToTree(named).equals(one.path("named"))).as("%s", named).isTrue();
  }
}
