package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Quarantined;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.text.Tokenizer;
import io.knack.llm.train.TokenSequence;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingDataTest {
  private static final Path ROOT = Path.of(System.getProperty("knack.root"));

  @TempDir Path directory;

  /** A checkpoint with a chat template that knows tools, and a tokenizer of its family. */
  private Path model() throws Exception {
    Path model = Files.createDirectories(directory.resolve("model"));
    Path tests = ROOT.resolve("llm/src/test/resources");
    Files.copy(tests.resolve("parity/qwen3/tokenizer.json"), model.resolve("tokenizer.json"));
    String config = Files.readString(tests.resolve("parity/qwen3/config.json"));
    Files.writeString(
        model.resolve("config.json"),
        config.replaceAll("(\"max_position_embeddings\": )\\d+", "$1" + 20_000));
    Files.copy(tests.resolve("chat/qwen2_5.jinja"), model.resolve("chat_template.jinja"));
    Files.writeString(model.resolve("tokenizer_config.json"), "{}");
    return model;
  }

  private TrainingData.Read read(Path model, String lines, String... overrides) throws Exception {
    Path file = directory.resolve("data.jsonl");
    Files.write(file, lines.getBytes(StandardCharsets.ISO_8859_1));
    List<String> all = new ArrayList<>(List.of("max_length=100000"));
    all.addAll(List.of(overrides));
    try (TrainingData data = new TrainingData(model, Plans.read(TrainPlan.class, null, all))) {
      return data.read(file);
    }
  }

  /** What of a sequence is learnt, as text. */
  private static String learnt(Path model, TokenSequence sequence) {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < sequence.length(); i++) {
      if (sequence.weights()[i] > 0) {
        ids.add(sequence.ids()[i]);
      }
    }
    try (Tokenizer tokenizer = Tokenizer.load(model)) {
      return tokenizer.decode(ids);
    }
  }

  @Test
  void everyFormLearnsTheAssistantsTurnsAlone() throws Exception {
    Path model = model();
    TrainingData.Read read =
        read(
            model,
            """
            {"messages": [{"role": "user", "content": "abc"}, {"role": "assistant", "content": "one"}, {"role": "user", "content": "d"}, {"role": "assistant", "content": "two"}], "weight": 0.5}
            {"prompt": [{"role": "user", "content": "abc"}], "completion": "three"}
            {"conversations": [{"from": "human", "value": "abc"}, {"from": "gpt", "value": "four"}], "system": "sys"}
            {"instruction": "abc", "input": "def", "output": "five"}
            {"prompt": "abc ", "completion": "six"}
            """);
    assertThat(read.quarantine()).isEmpty();
    assertThat(read.total()).isEqualTo(5);
    List<String> learnt = read.sequences().stream().map(s -> learnt(model, s)).toList();
    assertThat(learnt.get(0)).contains("one").contains("two").doesNotContain("abc");
    assertThat(learnt.get(1)).contains("three").doesNotContain("abc");
    assertThat(learnt.get(2)).contains("four").doesNotContain("abc").doesNotContain("sys");
    assertThat(learnt.get(3)).contains("five").doesNotContain("abc").doesNotContain("def");
    assertThat(learnt.get(4)).contains("six").doesNotContain("abc");
    assertThat(read.sequences().get(0).weights()).contains(0.5f).doesNotContain(1f);
  }

  @Test
  void toolsAndTheirAnswersAreNotLearnt() throws Exception {
    Path model = model();
    TrainingData.Read read =
        read(
            model,
            """
            {"tools": [{"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}], "messages": [{"role": "user", "content": "how much"}, {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "lookup", "arguments": "{\\"item\\": \\"pear\\"}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "seventeen"}, {"role": "assistant", "content": "it is so"}]}
            """);
    assertThat(read.quarantine()).isEmpty();
    assertThat(learnt(model, read.sequences().get(0)))
        .contains("pear")
        .contains("it is so")
        .doesNotContain("seventeen")
        .doesNotContain("how much")
        .doesNotContain("parameters");
  }

  @Test
  void aLineThatCannotBeUsedIsQuarantinedWithItsNumber() throws Exception {
    TrainingData.Read read =
        read(
            model(),
            """
            {"prompt": "a", "completion": "b"}

            {"prompt": "a", "completion": "b"
            {"prompt": 3, "completion": "b"}
            {"messages": [{"role": "user", "content": "a"}]}
            {"question": "a"}
            {"prompt": "a", "completion": "b", "weight": 0}
            {"prompt": "\u00e9", "completion": "b"}
            {"prompt": "a", "completion": "b"}\
            """);
    assertThat(read.sequences()).hasSize(2);
    assertThat(read.total()).isEqualTo(9);
    assertThat(read.quarantine())
        .extracting(Quarantined::line)
        .containsExactly(2L, 3L, 4L, 5L, 6L, 7L, 8L);
    assertThat(read.quarantine())
        .extracting(Quarantined::reason)
        .satisfiesExactly(
            r -> assertThat(r).isEqualTo("empty line"),
            r -> assertThat(r).startsWith("not JSON"),
            r -> assertThat(r).isEqualTo("prompt: expected text, found 3"),
            r -> assertThat(r).isEqualTo("no assistant turn to learn from"),
            r -> assertThat(r).startsWith("expected messages"),
            r -> assertThat(r).startsWith("weight: expected a positive number"),
            r -> assertThat(r).isEqualTo("not UTF-8"));
    assertThat(read.quarantine().get(0).byteOffset()).isEqualTo(35);
  }

  @Test
  void whatIsTooLongGoesAsThePlanSays() throws Exception {
    Path model = model();
    String line = "{\"prompt\": \"" + "abc ".repeat(100) + "\", \"completion\": \"end\"}\n";
    TrainingData.Read dropped = read(model, line, "max_length=40");
    assertThat(dropped.dropped()).isEqualTo(1);
    assertThat(dropped.sequences()).isEmpty();
    TrainingData.Read cut = read(model, line, "max_length=40", "too_long=cut_left");
    assertThat(cut.cut()).isEqualTo(1);
    assertThat(cut.sequences().get(0).length()).isEqualTo(40);
    assertThat(learnt(model, cut.sequences().get(0))).contains("end");
    assertThatThrownBy(() -> read(model, line, "max_length=40", "too_long=refuse"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("data.jsonl:1")
        .hasMessageContaining("max_length is 40");
  }
}
