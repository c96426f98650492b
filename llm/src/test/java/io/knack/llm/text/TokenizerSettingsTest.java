package io.knack.llm.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
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

  /** A second parse of a large vocabulary takes a while: files as published need none. */
  @Test
  void aFileThatSaysTheSameIsUsedAsItLies() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"qwen2\"}");
    Files.writeString(
        directory.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\": \"Qwen2Tokenizer\", \"bos_token\": null, \"unk_token\": null,"
            + " \"eos_token\": \"<|im_end|>\", \"pad_token\": \"<|endoftext|>\"}");
    ObjectNode file = JSON.createObjectNode();
    file.put("version", "1.0");
    ArrayNode added = file.putArray("added_tokens");
    for (String token : List.of("<|endoftext|>", "<|im_end|>")) {
      added.addObject().put("id", 151643 + added.size()).put("content", token);
      ObjectNode last = (ObjectNode) added.get(added.size() - 1);
      last.put("single_word", false).put("lstrip", false).put("rstrip", false);
      last.put("normalized", false).put("special", true);
    }
    file.putObject("normalizer").put("type", "NFC");
    ObjectNode split = file.putObject("pre_tokenizer").put("type", "Sequence");
    ArrayNode parts = split.putArray("pretokenizers");
    ObjectNode pattern = parts.addObject().put("type", "Split");
    pattern.putObject("pattern").put("Regex", QWEN);
    pattern.put("behavior", "Isolated").put("invert", false);
    byteLevel(parts.addObject());
    byteLevel(file.putObject("post_processor"));
    byteLevel(file.putObject("decoder"));
    file.putObject("model").put("never", "parsed");
    JSON.writeValue(directory.resolve("tokenizer.json").toFile(), file);
    assertThat(TokenizerSettings.of(directory).change()).isFalse();
    pattern.putObject("pattern").put("Regex", "\\s+");
    JSON.writeValue(directory.resolve("tokenizer.json").toFile(), file);
    assertThat(TokenizerSettings.of(directory).change()).isTrue();
  }

  /** As tokenizer.json of Qwen2.5 has it. */
  private static final String QWEN =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
          + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static void byteLevel(ObjectNode part) {
    part.put("type", "ByteLevel").put("add_prefix_space", false);
    part.put("trim_offsets", false).put("use_regex", false);
  }
}
