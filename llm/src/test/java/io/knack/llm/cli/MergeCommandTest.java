package io.knack.llm.cli;

import static io.knack.llm.cli.Outcome.knack;
import static io.knack.llm.cli.Outcome.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.llm.Fixtures;
import io.knack.llm.checkpoint.SafetensorsFile;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.kernel.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MergeCommandTest {
  @TempDir private Path directory;

  private Path spoiled() throws IOException {
    return Fixtures.copy(Fixtures.checkpoint("llama2"), directory.resolve("model"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2", "llama3", "qwen2"})
  void aMergedCheckpointComputesWhatBaseAndAdapterDo(String name) throws IOException {
    Path merged = directory.resolve("merged");
    assertThat(
            knack(
                "merge",
                "--model",
                Fixtures.checkpoint(name),
                "--adapter",
                Fixtures.adapter(name, "everywhere"),
                "--out",
                merged))
        .isEqualTo(new Outcome(0, "", ""));
    JsonNode answer = Fixtures.expected(name).path("everywhere").get(2);
    String ids = answer.path("prompt_ids").toString().replaceAll("[\\[\\] ]", "");
    JsonNode found =
        knack("generate", "--model", merged, "--prompt-ids", ids, "--max-tokens", 64, "--json")
            .json()
            .get(0);
    for (int i = 1; i < found.path("prompt_logprobs").size(); i++) {
      assertThat(found.path("prompt_logprobs").get(i).doubleValue())
          .isCloseTo(answer.path("prompt_logprobs").get(i).doubleValue(), within(1e-4));
    }
    assertThat(found.path("samples").get(0).path("ids")).isEqualTo(answer.path("ids"));
  }

  @Test
  void aMergeIsWholeOrNotThere() throws IOException {
    Path model = spoiled();
    Path adapter = Fixtures.adapter("llama2", "attention");
    refused(
        knack("merge", "--model", model, "--adapter", adapter, "--out", directory),
        2,
        "is there already");
    Fixtures.lastFloat(model.resolve("model.safetensors"), Float.NaN);
    Path out = directory.resolve("sub/merged");
    refused(knack("merge", "--model", model, "--adapter", adapter, "--out", out), 65, "NaN");
    try (var left = Files.list(directory.resolve("sub"))) {
      assertThat(left).isEmpty();
    }
  }

  private Outcome merge(Path model, Path adapter, Path out) {
    return knack("merge", "--model", model, "--adapter", adapter, "--out", out);
  }

  /** A merge that is refused leaves nothing, not even the directory above. */
  private void notMerged(Path model, Path adapter, String... words) {
    refused(merge(model, adapter, directory.resolve("sub/merged")), 65, words);
    assertThat(directory.resolve("sub")).doesNotExist();
  }

  /** Replaces the tensors by zeros of a type, and of shapes that may differ from theirs. */
  private static void zeros(Path model, String type, Map<String, List<Long>> shapes)
      throws IOException {
    Path weights = model.resolve("model.safetensors");
    Map<String, SafetensorsWriter.Declaration> declared = new TreeMap<>();
    SafetensorsFile.open(weights)
        .entries()
        .forEach(
            (name, entry) ->
                declared.put(
                    name,
                    new SafetensorsWriter.Declaration(
                        type, shapes.getOrDefault(name, entry.shape()))));
    try (SafetensorsWriter writer = SafetensorsWriter.create(weights, declared)) {
      for (Map.Entry<String, SafetensorsWriter.Declaration> tensor : declared.entrySet()) {
        long elements = tensor.getValue().shape().stream().reduce(1L, Math::multiplyExact);
        int bytes = Math.toIntExact(elements * (type.equals("F32") ? 4 : 2));
        writer.write(tensor.getKey(), ByteBuffer.allocate(bytes));
      }
    }
  }

  @Test
  void aMergeDropsNoPairForWantOfItsTensor() throws IOException {
    Path model = spoiled();
    Fixtures.replaceInHeader(
        model.resolve("model.safetensors"),
        "model.layers.1.self_attn.q_proj.weight",
        "other.layers.1.self_attn.q_proj.weight");
    notMerged(
        model,
        Fixtures.adapter("llama2", "attention"),
        "has no tensor 'model.layers.1.self_attn.q_proj.weight', which its config.json asks for",
        "its first is 'lm_head.weight'");
  }

  @Test
  void aMergeNamesTheTensorWhoseShapeDoesNotFit() throws IOException {
    Path model = spoiled();
    for (long in : new long[] {31, 1}) {
      zeros(model, "F32", Map.of("model.layers.0.self_attn.q_proj.weight", List.of(32L, in)));
      notMerged(
          model,
          Fixtures.adapter("llama2", "attention"),
          "tensor 'model.layers.0.self_attn.q_proj.weight' has shape [32, " + in + "]",
          "asks for [32, 32]");
    }
  }

  /** What generate would refuse of the result, merge refuses of the base. */
  @Test
  void aBaseThatIsNoWholeModelIsNotMerged() throws IOException {
    Path adapter = Fixtures.adapter("llama2", "attention");
    Path model = spoiled();
    zeros(model, "F32", Map.of("model.layers.1.mlp.up_proj.weight", List.of(31L, 32L)));
    notMerged(
        model,
        adapter,
        "model.safetensors: tensor 'model.layers.1.mlp.up_proj.weight' has shape [31, 32]",
        "asks for [48, 32]");
    Path extra = Fixtures.copy(Fixtures.checkpoint("llama2"), directory.resolve("extra"));
    Fixtures.replaceInHeader(
        extra.resolve("model.safetensors"),
        "model.layers.1.mlp.up_proj.weight",
        "model.layers.1.mlp.up_poor.weight");
    notMerged(extra, adapter, "has no tensor 'model.layers.1.mlp.up_proj.weight'");
    Path damaged = Fixtures.copy(Fixtures.checkpoint("llama2"), directory.resolve("damaged"));
    Files.writeString(damaged.resolve("tokenizer.json"), "{");
    notMerged(damaged, adapter, "tokenizer.json: is no JSON: Unexpected end-of-input");
  }

  @Test
  void aMergeThatOverflowsTheTypeOfTheBaseIsRefused() throws IOException {
    Path model = spoiled();
    Path adapter =
        Fixtures.copy(Fixtures.adapter("llama2", "attention"), directory.resolve("adapter"));
    Fixtures.replace(
        adapter.resolve("adapter_config.json"), "\"lora_alpha\": 8", "\"lora_alpha\": 8e9");
    zeros(model, "F16", Map.of());
    refused(
        merge(model, adapter, directory.resolve("sub/merged")),
        65,
        "tensor 'model.layers.0.self_attn.",
        "is F16, which cannot hold the sum",
        "overflows to infinity");
    assertThat(directory.resolve("sub")).isEmptyDirectory();
    zeros(model, "F32", Map.of());
    assertThat(merge(model, adapter, directory.resolve("wide")).exit()).isZero();
  }

  @Test
  void aMergeTakesWhatBelongsToTheResultAlong() throws IOException {
    Path model = spoiled();
    Path adapter = Fixtures.adapter("llama2", "attention");
    for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(adapter.resolve(name), model.resolve(name));
    }
    for (String name :
        List.of("model.gguf", "consolidated.00.pth", "pytorch_model.bin.index.json")) {
      Files.writeString(model.resolve(name), "the weights before");
    }
    Path templates = Files.createDirectory(model.resolve("additional_chat_templates"));
    Files.writeString(templates.resolve("tool_use.jinja"), "{{ tools }}");
    Path out = directory.resolve("merged");
    assertThat(merge(model, adapter, out)).isEqualTo(new Outcome(0, "", ""));
    assertThat(out.resolve("config.json")).exists();
    assertThat(out.resolve("additional_chat_templates/tool_use.jinja")).hasContent("{{ tools }}");
    try (var names = Files.list(out)) {
      assertThat(names.map(file -> file.getFileName().toString()))
          .contains("tokenizer.json", "model.safetensors")
          .noneMatch(name -> name.matches(".*(gguf|pth|index.json)"));
    }
    assertThat(out.resolve("adapter_config.json")).doesNotExist();
    assertThat(out.resolve("adapter_model.safetensors")).doesNotExist();
  }

  @Test
  void aMergeSaysWhyItsDirectoryCannotBeCreated() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    refused(
        merge(
            Fixtures.checkpoint("llama2"),
            Fixtures.adapter("llama2", "attention"),
            file.resolve("merged")),
        2,
        file.resolve("merged") + ": cannot be created: " + file + " is no directory",
        "name a directory you may write");
  }

  /** Tensors of several pieces of a mebibyte, the last one shorter. */
  @Test
  void largeTensorsAreWrittenPieceByPiece() throws IOException {
    Path model = Files.createDirectory(directory.resolve("model"));
    var unused = new ReferenceCheckpoint(96, 1, 2, 1, 64, 6000, DType.F32).write(model);
    Path adapter = Files.createDirectory(directory.resolve("adapter"));
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 1, \"target_modules\": [\"q_proj\"]}");
    String pair = "base_model.model.model.layers.0.self_attn.q_proj.lora_";
    Map<String, SafetensorsWriter.Declaration> zeros = new TreeMap<>();
    zeros.put(pair + "A.weight", new SafetensorsWriter.Declaration("F32", List.of(1L, 96L)));
    zeros.put(pair + "B.weight", new SafetensorsWriter.Declaration("F32", List.of(96L, 1L)));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(adapter.resolve("adapter_model.safetensors"), zeros)) {
      for (String name : zeros.keySet()) {
        writer.write(name, ByteBuffer.allocate(4 * 96));
      }
    }
    Path out = directory.resolve("merged");
    assertThat(merge(model, adapter, out)).isEqualTo(new Outcome(0, "", ""));
    assertThat(out.resolve("model.safetensors"))
        .hasSameBinaryContentAs(model.resolve("model.safetensors"));
  }

  @Test
  void aLinkThatLeadsNowhereIsThereAlready() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("nowhere"));
    refused(
        merge(Fixtures.checkpoint("llama2"), Fixtures.adapter("llama2", "attention"), link),
        2,
        link + ": is there already");
  }
}
