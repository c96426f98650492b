package io.knack.llm.cli;

import static io.knack.llm.cli.Outcome.knack;
import static io.knack.llm.cli.Outcome.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.llm.Fixtures;
import io.knack.llm.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What people type, and what they are told when it cannot be done. */
class CommandLineTest {
  @TempDir private Path directory;

  private static Outcome generate(Path model, Object... more) {
    List<Object> words = new ArrayList<>(List.of("generate", "--model", model));
    words.addAll(List.of("--prompt-ids", "1,2,3", "--max-tokens", "2", "--json"));
    words.addAll(List.of(more));
    return knack(words.toArray());
  }

  private Path spoiled() throws IOException {
    return Fixtures.copy(Fixtures.checkpoint("llama2"), directory.resolve("model"));
  }

  @Test
  void promptsOfAFileRunTogetherEachWithItsAdapter() throws IOException {
    JsonNode expected = Fixtures.expected("llama2");
    StringBuilder lines = new StringBuilder();
    List<JsonNode> answers = new ArrayList<>();
    for (String key : List.of("base", "attention", "everywhere")) {
      JsonNode answer = expected.path(key).get(1);
      answers.add(answer);
      String adapter = key.equals("base") ? "" : ", \"adapter\": \"" + key + "\"";
      lines.append("{\"prompt_ids\": " + answer.path("prompt_ids") + adapter + "}\n");
    }
    Path prompts = Files.writeString(directory.resolve("prompts.jsonl"), lines);
    Outcome outcome =
        knack(
            "generate",
            "--model",
            Fixtures.checkpoint("llama2"),
            "--adapter",
            "attention=" + Fixtures.adapter("llama2", "attention"),
            "--adapter",
            "everywhere=" + Fixtures.adapter("llama2", "everywhere"),
            "--prompts",
            prompts,
            "--max-tokens",
            64,
            "--json");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.exit()).isZero();
    JsonNode array = outcome.json();
    assertThat(array.size()).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      JsonNode one = array.get(i);
      assertThat(one.path("prompt_ids")).isEqualTo(answers.get(i).path("prompt_ids"));
      assertThat(one.path("prompt_logprobs").size()).isEqualTo(one.path("prompt_ids").size());
      assertThat(one.path("prompt_logprobs").get(0).isNull()).isTrue();
      for (int j = 1; j < one.path("prompt_ids").size(); j++) {
        assertThat(one.path("prompt_logprobs").get(j).doubleValue())
            .isCloseTo(answers.get(i).path("prompt_logprobs").get(j).doubleValue(), within(1e-4));
      }
      JsonNode sample = one.path("samples").get(0);
      assertThat(sample.path("ids")).isEqualTo(answers.get(i).path("ids"));
      assertThat(sample.path("logprobs").size()).isEqualTo(sample.path("ids").size());
      assertThat(sample.path("text").isTextual()).isTrue();
      assertThat(sample.path("finish_reason").textValue()).isIn("stop", "length");
    }
  }

  @Test
  void oneAdapterWithoutANameIsForAllAndADirectoryMayHoldAnEqualsSign() throws IOException {
    JsonNode answer = Fixtures.expected("llama2").path("attention").get(0);
    Path adapter =
        Fixtures.copy(Fixtures.adapter("llama2", "attention"), directory.resolve("rank=4"));
    Path prompts =
        Files.writeString(
            directory.resolve("prompts.jsonl"),
            "{\"prompt_ids\": " + answer.path("prompt_ids") + "}\n");
    Outcome outcome =
        knack(
            "generate",
            "--model",
            Fixtures.checkpoint("llama2"),
            "--adapter",
            adapter,
            "--prompts",
            prompts,
            "--max-tokens",
            64,
            "--json");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.json().get(0).path("samples").get(0).path("ids"))
        .isEqualTo(answer.path("ids"));
  }

  @Test
  void plainOutputIsTheText() {
    Outcome outcome =
        knack(
            "generate",
            "--model",
            Fixtures.checkpoint("llama2"),
            "--prompt",
            "abc",
            "--samples",
            2,
            "--seed",
            3,
            "--temperature",
            1,
            "--max-tokens",
            4);
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).isNotBlank();
  }

  @Test
  void usageIsCheckedBeforeAnythingIsLoaded() {
    refused(
        knack("generate", "--model", "nowhere", "--samples", 0, "--top-p", 2, "--max-tokens", -1),
        2,
        "found 0",
        "--samples is 0",
        "--top-p is 2",
        "--max-tokens is -1");
    refused(knack("generate", "--prompt", "x"), 2, "--model");
    refused(
        generate(Path.of("x"), "--temperature", "NaN", "--stop", "", "--samples", 1 << 30),
        2,
        "--temperature is NaN",
        "--stop is empty",
        "--samples is 1073741824");
    refused(generate(Path.of("x"), "--adapter", "a=b", "--adapter", "a=c"), 2, "one name");
    refused(generate(Path.of("x"), "--adapter", "a", "--adapter", "b"), 2, "NAME=DIR");
    refused(
        generate(Path.of("x"), "--adapter", "a=b", "--adapter", "c=d"),
        2,
        "one prompt takes one --adapter, found 2",
        "--prompts with an \"adapter\" in each line");
    for (String cold : List.of("1e-38", "1e-7", "-1", "Infinity")) {
      refused(
          generate(Path.of("x"), "--temperature", cold),
          2,
          "--temperature is " + Double.valueOf(cold) + ", expected 0, which takes the most likely",
          "from 1.0E-6 up");
    }
    refused(generate(Fixtures.checkpoint("llama2"), "--dtype", "int3"), 2, "int3");
    refused(generate(Fixtures.checkpoint("llama2"), "--device", "tpu"), 2, "tpu");
  }

  @Test
  void whatIsNotThereIsNamed() throws IOException {
    refused(generate(directory.resolve("nowhere")), 65, "nowhere", "no such file");
    refused(
        generate(Fixtures.checkpoint("llama2"), "--adapter", directory.resolve("nowhere")),
        65,
        "nowhere",
        "adapter_config.json");
    refused(
        knack(
            "generate",
            "--model",
            Fixtures.checkpoint("llama2"),
            "--prompts",
            directory.resolve("none")),
        65,
        "none",
        "no such file");
    refused(
        knack("generate", "--model", Fixtures.checkpoint("llama2"), "--prompt-ids", "1,999"),
        2,
        "999",
        "257");
    refused(
        knack("generate", "--model", Fixtures.checkpoint("llama2"), "--prompt", "x", "--chat"),
        65,
        "no chat template");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"prompt_ids\": [1, 2",
        "{\"prompt_ids\": [1, \"two\"]}",
        "{\"prompt_ids\": [1, 257]}",
        "{\"text\": \"x\"}",
        "{\"messages\": [{\"role\": \"user\"}]}",
        "{\"prompt\": \"x\", \"adapter\": 3}",
        "{\"prompt\": \"x\", \"prompt_ids\": [1]}",
        "{\"prompt\": \"x\"} trailing",
        "{\"messages\": [{\"role\": \"user\", \"content\": [{\"image\": 1}]}]}",
        "{\"messages\": [{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {}}]}]}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\", \"tool_calls\": {}}]}",
        "{\"messages\": [], \"tools\": {}}",
        "[\"x\"]"
      })
  void aBadLineOfAPromptsFileIsNamed(String line) throws IOException {
    Path prompts =
        Files.writeString(directory.resolve("p.jsonl"), "{\"prompt\": \"x\"}\n" + line + "\n");
    refused(
        knack("generate", "--model", Fixtures.checkpoint("llama2"), "--prompts", prompts, "--json"),
        65,
        "p.jsonl line 2");
  }

  @Test
  void aPromptThatCannotBeAnsweredIsNamedByItsLine() throws IOException {
    Path model = Fixtures.checkpoint("llama2");
    Path prompts = Files.writeString(directory.resolve("p.jsonl"), "\n{\"prompt\": \"\"}\n");
    refused(
        knack("generate", "--model", model, "--prompts", prompts),
        65,
        "p.jsonl line 2: prompt: has no tokens");
    Files.write(prompts, new byte[] {'\n', '{', (byte) 0xff, '}', '\n'});
    refused(
        knack("generate", "--model", model, "--prompts", prompts),
        65,
        "p.jsonl line 2: is not UTF-8; convert the file");
    refused(
        knack("generate", "--model", model, "--prompts", directory),
        2,
        directory + ": is a directory, expected a file");
  }

  @Test
  void aSpecialTokenStopsASample() throws IOException {
    Path model = spoiled();
    Object[] eight = {
      "generate", "--model", model, "--prompt-ids", "1,2,3", "--max-tokens", 8, "--json"
    };
    JsonNode ids = knack(eight).json().at("/0/samples/0/ids");
    String third = "";
    JsonNode file = new ObjectMapper().readTree(model.resolve("tokenizer.json").toFile());
    for (Map.Entry<String, JsonNode> entry : file.path("model").path("vocab").properties()) {
      third = entry.getValue().equals(ids.get(2)) ? entry.getKey() : third;
    }
    ObjectNode settings = new ObjectMapper().createObjectNode();
    ObjectNode token = settings.putObject("added_tokens_decoder").putObject("" + ids.get(2));
    token.put("content", third).put("special", true);
    Files.writeString(model.resolve("tokenizer_config.json"), settings.toString());
    assertThat(knack(eight).json().at("/0/samples/0/ids")).isEqualTo(ids);
    Object[] stopping = Arrays.copyOf(eight, eight.length + 2);
    stopping[eight.length] = "--stop";
    stopping[eight.length + 1] = third;
    JsonNode sample = knack(stopping).json().at("/0/samples/0");
    assertThat(sample.path("ids")).containsExactly(ids.get(0), ids.get(1));
    assertThat(sample.path("finish_reason").textValue()).isEqualTo("stop");
  }

  @Test
  void anUnknownKeyOfAPromptsFileIsNamed() throws IOException {
    Path prompts =
        Files.writeString(
            directory.resolve("p.jsonl"), "{\"prompt\": \"x\", \"temperature\": 1}\n");
    refused(
        knack("generate", "--model", Fixtures.checkpoint("llama2"), "--prompts", prompts),
        65,
        "p.jsonl line 1: has an unknown key 'temperature'",
        "chat_template_kwargs");
  }

  @Test
  void conversationsTakeToolsAndTemplateVariables() throws IOException {
    Path model = spoiled();
    Files.writeString(
        model.resolve("chat_template.jinja"),
        "{% for t in tools or [] %}<{{ t.name }}>{% endfor %}{% for m in messages %}{{ m.role[0] }}"
            + "{{ m.content }}{% for c in m.tool_calls or [] %}({{ c.function.name }}"
            + "{{ c.function.arguments.n }}){% endfor %}{% endfor %}{{ 'T' if deep else 'F' }}");
    Path prompts =
        Files.writeString(
            directory.resolve("p.jsonl"),
            "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\":"
                + " \"hi\"}]}, {\"role\": \"assistant\", \"content\": null, \"tool_calls\":"
                + " [{\"id\": \"1\", \"function\": {\"name\": \"f\", \"arguments\": \"{\\\"n\\\":"
                + " 2}\"}}]}, {\"role\": \"tool\", \"content\": \"3\", \"tool_call_id\": \"1\"}],"
                + " \"tools\": [{\"name\": \"f\"}], \"chat_template_kwargs\": {\"deep\": true}}\n"
                + "{\"prompt\": \"yo\"}\n");
    Outcome outcome =
        knack(
            "generate",
            "--model",
            model,
            "--prompts",
            prompts,
            "--chat",
            "--max-tokens",
            1,
            "--json");
    assertThat(outcome.err()).isEmpty();
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      List<String> seen = new ArrayList<>();
      for (JsonNode one : outcome.json()) {
        List<Integer> ids = new ArrayList<>();
        one.path("prompt_ids").forEach(id -> ids.add(id.intValue()));
        seen.add(tokenizer.decodeAll(ids));
        assertThat(one.path("usage").path("prompt_tokens").intValue()).isEqualTo(ids.size());
      }
      assertThat(seen).containsExactly("<f>uhia(f2)t3T", "uyoF");
    }
  }

  @Test
  void messagesReachTheTemplateAsTheyAre() throws IOException {
    Path model = spoiled();
    Files.writeString(
        model.resolve("chat_template.jinja"), "{{ messages | tojson }}{{ tools | tojson }}");
    String messages =
        "[{\"role\": \"developer\", \"content\": \"d\"}, {\"role\": \"user\", \"content\":"
            + " \"u\", \"name\": \"ann\"}, {\"role\": \"assistant\", \"tool_calls\":"
            + " [{\"function\": {\"name\": \"f\", \"arguments\": {\"n\": 2.5}}}]},"
            + " {\"role\": \"tool\", \"content\": \"3\", \"name\": \"f\"}]";
    Path prompts =
        Files.writeString(
            directory.resolve("p.jsonl"), "{\"messages\": " + messages + ", \"tools\": []}\n");
    Outcome outcome =
        knack("generate", "--model", model, "--prompts", prompts, "--max-tokens", 1, "--json");
    assertThat(outcome.err()).isEmpty();
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      List<Integer> ids = new ArrayList<>();
      outcome.json().path(0).path("prompt_ids").forEach(id -> ids.add(id.intValue()));
      assertThat(tokenizer.decodeAll(ids)).isEqualTo(messages + "[]");
    }
  }

  @Test
  void anAdapterThatIsNotLoadedIsNamed() throws IOException {
    Path prompts =
        Files.writeString(
            directory.resolve("p.jsonl"), "{\"prompt\": \"x\", \"adapter\": \"b\"}\n");
    refused(
        knack("generate", "--model", Fixtures.checkpoint("llama2"), "--prompts", prompts),
        65,
        "p.jsonl line 1: adapter 'b' is not loaded");
  }

  @Test
  void anUnsupportedArchitectureOrOptionIsRefusedByName() throws IOException {
    Path model = spoiled();
    Path config = model.resolve("config.json");
    Fixtures.replace(config, "\"attention_bias\": false", "\"attention_chunk_size\": 64");
    refused(generate(model), 65, "config.json", "attention_chunk_size");
    Fixtures.replace(config, "LlamaForCausalLM", "PhiMoEForCausalLM");
    refused(generate(model), 65, "PhiMoEForCausalLM is not supported", "LlamaForCausalLM");
  }

  @Test
  void aTruncatedFileIsNamedWithItsTensor() throws IOException {
    Path model = spoiled();
    Path weights = model.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length - 5));
    refused(generate(model), 65, "model.safetensors", "truncated", "model.norm.weight");
    Files.write(weights, java.util.Arrays.copyOf(bytes, 100));
    refused(generate(model), 65, "model.safetensors", "truncated");
    Files.writeString(weights, "not a tensor in sight, only words");
    refused(generate(model), 65, "model.safetensors", "not a safetensors file");
    Files.delete(weights);
    refused(generate(model), 65, "neither model.safetensors nor");
  }

  @Test
  void valuesThatAreNoNumbersAreNamedWithTheirTensor() throws IOException {
    Path model = spoiled();
    Fixtures.lastFloat(model.resolve("model.safetensors"), Float.NaN);
    refused(generate(model), 65, "model.safetensors", "model.norm.weight", "NaN");
    Fixtures.lastFloat(model.resolve("model.safetensors"), Float.NEGATIVE_INFINITY);
    refused(generate(model), 65, "model.norm.weight", "infinite");
  }

  @Test
  void aShapeThatDoesNotFitIsNamed() throws IOException {
    Path model = spoiled();
    Fixtures.replace(
        model.resolve("config.json"), "\"intermediate_size\": 48", "\"intermediate_size\": 40");
    refused(
        generate(model), 65, "model.safetensors", "mlp.gate_proj.weight", "[48, 32]", "[40, 32]");
  }

  @Test
  void aMissingTensorOrShardIsNamed() throws IOException {
    Path model = spoiled();
    Path weights = model.resolve("model.safetensors");
    Fixtures.replaceInHeader(weights, "model.norm.weight", "model.nork.weight");
    refused(generate(model), 65, "model.norm.weight");
    Files.delete(weights);
    Path index = model.resolve("model.safetensors.index.json");
    Files.writeString(
        index, "{\"weight_map\": {\"model.norm.weight\": \"model-00002-of-00002.safetensors\"}}");
    refused(
        generate(model), 65, "model-00002-of-00002.safetensors", "missing", "model.norm.weight");
    for (String outside : List.of("../x.safetensors", "/etc/passwd", "a/b", ".", "")) {
      Files.writeString(index, "{\"weight_map\": {\"model.norm.weight\": \"" + outside + "\"}}");
      refused(generate(model), 65, "index.json", "model.norm.weight", "no name of a file");
    }
    Files.writeString(index, "[".repeat(100_000));
    refused(generate(model), 65, "index.json", "is no JSON");
  }

  @Test
  void aSpoiledAdapterIsNamed() throws IOException {
    Path adapter =
        Fixtures.copy(Fixtures.adapter("llama2", "attention"), directory.resolve("adapter"));
    Path config = adapter.resolve("adapter_config.json");
    Fixtures.replace(config, "\"use_dora\": false", "\"use_dora\": true");
    refused(generate(Fixtures.checkpoint("llama2"), "--adapter", adapter), 65, "use_dora");
    Fixtures.replace(config, "\"use_dora\": true", "\"use_dora\": false");
    Fixtures.replace(config, "\"r\": 4", "\"r\": 5");
    refused(
        generate(Fixtures.checkpoint("llama2"), "--adapter", adapter),
        65,
        "adapter_model.safetensors",
        "lora_A",
        "[4, 32]",
        "[5, 32]");
    Fixtures.replace(config, "\"r\": 5", "\"r\": 4");
    Fixtures.replace(config, "\"layers_to_transform\": null", "\"layers_to_transform\": [1]");
    refused(
        generate(Fixtures.checkpoint("llama2"), "--adapter", adapter),
        65,
        "model.layers.0.self_attn",
        "target");
  }

  @Test
  void anAdapterOfAnotherWeightFormatIsNamed() throws IOException {
    Path adapter =
        Fixtures.copy(Fixtures.adapter("llama2", "attention"), directory.resolve("adapter"));
    Path tensors = adapter.resolve("adapter_model.safetensors");
    Files.move(tensors, adapter.resolve("adapter_model.bin"));
    refused(
        generate(Fixtures.checkpoint("llama2"), "--adapter", adapter),
        65,
        "has no adapter_model.safetensors but adapter_model.bin",
        "convert the adapter to safetensors");
    Files.delete(adapter.resolve("adapter_model.bin"));
    refused(
        generate(Fixtures.checkpoint("llama2"), "--adapter", adapter),
        65,
        "has no adapter_model.safetensors; expected a PEFT adapter directory");
  }

  @Test
  void anAdapterOnANormIsNamed() throws IOException {
    Path adapter =
        Fixtures.copy(Fixtures.adapter("llama2", "attention"), directory.resolve("adapter"));
    Fixtures.replace(
        adapter.resolve("adapter_config.json"),
        "\"target_modules\": [",
        "\"target_modules\": [\"input_layernorm\", ");
    refused(
        generate(Fixtures.checkpoint("llama2"), "--adapter", adapter),
        65,
        "adapter_config.json: target_modules match model.layers.0.input_layernorm");
  }

  @Test
  void sentenceVectorsAreOneArrayALine() throws IOException {
    Path encoder = Path.of("src/test/resources/encoder/mean");
    JsonNode expected = new ObjectMapper().readTree(encoder.resolve("expected.json").toFile());
    Path input =
        Files.writeString(directory.resolve("texts.txt"), "a cat sat on the mat\nThe dog!\n");
    Outcome outcome = knack("embed", "--model", encoder, "--input", input, "--json");
    assertThat(outcome.err()).isEmpty();
    List<String> lines = outcome.out().lines().toList();
    assertThat(lines).hasSize(2);
    for (int i = 0; i < 2; i++) {
      JsonNode vector = new ObjectMapper().readTree(lines.get(i));
      JsonNode wanted = expected.path("vectors").get(i);
      assertThat(vector.size()).isEqualTo(wanted.size());
      for (int j = 0; j < wanted.size(); j++) {
        assertThat(vector.get(j).doubleValue())
            .isCloseTo(wanted.get(j).doubleValue(), within(1e-5));
      }
    }
    refused(knack("embed", "--model", encoder, "--input", "nowhere.txt"), 2, "nowhere.txt");
    Files.writeString(input, "a cat\rsat\r\nThe dog!");
    outcome = knack("embed", "--model", encoder, "--input", input);
    assertThat(outcome.out().lines()).hasSize(2).element(1).isEqualTo(lines.get(1));
    Files.write(input, new byte[] {'a', '\n', (byte) 0xff});
    assertThat(knack("embed", "--model", encoder, "--input", input))
        .isEqualTo(
            new Outcome(65, "", "knack: " + input + " line 2: is not UTF-8; convert the file\n"));
    refused(
        knack("embed", "--model", Fixtures.checkpoint("llama2"), "--input", input),
        65,
        "llama",
        "not supported as an encoder");
  }

  @Test
  void theBenchmarkReportsItsScenario() throws IOException {
    Outcome outcome =
        knack(
            "bench",
            "llm",
            "--model",
            Fixtures.checkpoint("llama2"),
            "--dtype",
            "float32",
            "--batch",
            2,
            "--prompt-tokens",
            5,
            "--new-tokens",
            4,
            "--json");
    JsonNode result = outcome.json();
    assertThat(result.path("peak_gflops").doubleValue()).isPositive();
    JsonNode scenario = result.path("scenarios").get(0);
    assertThat(scenario.path("name").textValue()).isEqualTo("batch-2");
    assertThat(scenario.path("dtype").textValue()).isEqualTo("float32");
    for (String field :
        List.of("decode_tokens_per_second", "prefill_tokens_per_second", "max_rss_bytes")) {
      assertThat(scenario.path(field).doubleValue()).as(field).isPositive();
    }
  }
}
