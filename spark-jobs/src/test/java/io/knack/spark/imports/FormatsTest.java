package io.knack.spark.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Attempt;
import io.knack.contracts.Interaction;
import io.knack.contracts.Outcome;
import io.knack.contracts.stage.PlanException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Samples made by hand in the shapes that the tools write, below {@code src/test/resources/logs}.
 */
final class FormatsTest {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
  private static final Path LOGS = Path.of("src/test/resources/logs");

  @TempDir Path dir;

  @Test
  void aDirectoryOfEveryFormatIsReadInAuto() {
    Reading read = Reading.of(LOGS);

    assertThat(read.pairs())
        .containsExactly(
            "Capital of Bolivia? -> Sucre",
            "Capital of Chile? -> Santiago",
            "Capital of France? -> Paris",
            "Capital of Peru? -> Lima",
            "Colour of grass? -> Green",
            "Colour of snow? -> White",
            "Colour of the sky? -> Blue",
            "Convert 2 h to min. -> 120",
            "Convert 3 km to m. -> 3000",
            "Is 7 prime? -> no",
            "Is 7 prime? -> yes",
            "Is 9 prime? -> no",
            "Name a prime above 10. -> 11",
            "Opposite of big? -> small",
            "Opposite of hot? -> cold",
            "Opposite of in? -> on",
            "Opposite of old? -> young",
            "Opposite of up? -> down",
            "Reverse 'abc'. -> cba",
            "Reverse 'xyz'. -> zyx",
            "Route: I want my money back -> refund",
            "Route: my parcel is late -> shipping",
            "Spell 'cat' backwards. -> tac",
            "Tom has 3 apples and buys 4. How many has he? -> He has 3+4=7.\nA: 7",
            "Translate to French: bird -> null",
            "Translate to French: cat -> chat",
            "Translate to French: dog -> chien",
            "Triple 5. -> 15",
            "What is 2+2? -> 4",
            "What is the weather in Oslo? ->"
                + " [{\"id\":\"call_1\",\"name\":\"weather\",\"arguments\":\"{\\\"city\\\":\\\"Oslo\\\"}\"}]");
    assertThat(read.reasons())
        .containsExactly(
            "LiteLLM record whose messages lie in cold storage",
            "MLflow trace of schema 2 (info.request_id); export it with MLflow 3",
            "MLflow trace of schema 4 (otel_trace_id) is not read yet",
            "MLflow trace without spans; previews are not content",
            "batch request that failed at the provider",
            "span without content: content capture is off in the instrumentation");
    // Three spans of tools and web servers, an embedding; a trace, a score and two batch requests
    // that
    // were joined.
    assertThat(read.ignored()).isEqualTo(8);
  }

  @Test
  void everyFormatIsReadByItsName() throws IOException {
    List<String> formats =
        List.of("openai", "litellm", "langfuse", "otel", "mlflow", "sharegpt", "gsm8k", "knack");
    for (String format : formats) {
      Reading named = Reading.of(LOGS.resolve(format), "format=" + format);
      Reading auto = Reading.of(LOGS.resolve(format));

      assertThat(named.interactions()).as(format).isNotEmpty().isEqualTo(auto.interactions());
      assertThat(named.quarantined()).as(format).isEqualTo(auto.quarantined());
    }
    assertThat(Reading.of(LOGS.resolve("gsm8k"), "format=litellm").reasons())
        .containsExactly("record has not the shape of the named format");
  }

  @Test
  void openAiPairsCarryWhatTheEnvelopeSays() {
    Reading read = Reading.of(LOGS.resolve("openai"));

    Interaction first = read.of("chatcmpl-1");
    assertThat(first.occurredAt()).isEqualTo(Instant.ofEpochSecond(1755900001));
    assertThat(first.model()).isEqualTo("gpt-4o-mini-2024-07-18");
    assertThat(first.reference()).isEqualTo("4");
    assertThat(first.outcome()).isEqualTo(Outcome.VERIFIED);
    assertThat(first.outcomeSource()).isEqualTo("log:verified");
    assertThat(String.valueOf(first.subject())).doesNotContain("user-1").hasSizeGreaterThan(16);
    assertThat(first.attempts().get(0).promptTokens()).isEqualTo(14);
    assertThat(first.attempts().get(0).cachedPromptTokens()).isEqualTo(4);
    assertThat(read.of("chatcmpl-2").latencyMicros()).isEqualTo(412_500);
    assertThat(read.of("chatcmpl-2").tags()).containsEntry("team", "a");
    Interaction routed = read.of("chatcmpl-11");
    assertThat(routed.occurredAt()).isEqualTo(Instant.ofEpochSecond(1755900100));
    assertThat(routed.tenant().value()).isEqualTo("prod");
    assertThat(routed.tags()).containsEntry("workload_id", "support.routing");
    assertThat(read.of("batch_req_0").tags()).containsEntry("custom_id", "r-0");
  }

  @Test
  void langfuseReadsWhatManifestsListAndKeepsTheLatest() {
    Reading read = Reading.of(LOGS.resolve("langfuse"));

    assertThat(read.pairs()).noneMatch(pair -> pair.contains("half written"));
    Interaction first = read.of("o1");
    assertThat(first.subject()).isNotNull();
    assertThat(String.valueOf(first.conversation())).contains("s-1");
    assertThat(first.outcome()).isEqualTo(Outcome.VERIFIED);
    assertThat(first.outcomeSource()).isEqualTo("langfuse:correctness");
    assertThat(first.feedback()).isEqualTo("right, at last");
    assertThat(first.latencyMicros()).isEqualTo(500_000);
    assertThat(first.cost()).isEqualTo(2.7e-06);
  }

  @Test
  void mlflowPreviewsAreNeverContent() {
    Reading read = Reading.of(LOGS.resolve("mlflow"));

    assertThat(read.interactions()).hasSize(1);
    Interaction trace = read.interactions().get(0);
    assertThat(trace.toString()).doesNotContain("THE PREVIEW");
    assertThat(trace.reference()).isEqualTo("Paris");
    assertThat(trace.outcome()).isEqualTo(Outcome.VERIFIED);
    assertThat(trace.outcomeSource()).isEqualTo("mlflow:correctness");
    assertThat(trace.attempts().get(0).cachedPromptTokens()).isEqualTo(3);
    assertThat(trace.latencyMicros()).isEqualTo(60_703);
    assertThat(read.reasons()).hasSize(3).allMatch(reason -> reason.startsWith("MLflow trace"));
  }

  @Test
  void attemptsOfOneQuestionStayTogether() {
    Interaction solved = Reading.of(LOGS.resolve("gsm8k")).interactions().get(0);

    assertThat(solved.reference()).isEqualTo("7");
    assertThat(solved.attempts())
        .extracting(Attempt::method, Attempt::outcome)
        .containsExactly(
            tuple("6B_finetuning", Outcome.VERIFIED),
            tuple("175B_verification", Outcome.FAILED),
            tuple("reference", Outcome.VERIFIED));
  }

  @Test
  void csvIsReadByItsMap() throws IOException {
    Path csv = dir.resolve("faq.csv");
    Files.writeString(
        csv,
        """
        row;question;answer;mark;ok;when;who;firm
        1;"Where is my; parcel?
        It is late.";On its way;1;yes;2026-03-01 10:00:00;anna;north
        2;Refund?;No;0;no;1772359200;ben;south
        3;"He said ""hi"".";ok;0.5;;2026-03-01T12:00:00+01:00;;
        4;Broken;x;2;;;;
        5;Broken;x;;perhaps;;;
        6;Broken;x;;;yesterday;;
        7;too;few
        """);
    Reading read =
        Reading.of(
            csv,
            "format=csv",
            "map={id: row, prompt: question, completion: answer, score: mark, verified: ok, time:"
                + " when, subject: who, tenant: firm}");

    assertThat(read.interactions()).hasSize(3);
    Interaction first = read.of("1");
    assertThat(first.problem()).isEqualTo("Where is my; parcel?\nIt is late.");
    assertThat(first.outcome()).isEqualTo(Outcome.VERIFIED);
    assertThat(first.occurredAt()).isEqualTo(Instant.parse("2026-03-01T10:00:00Z"));
    assertThat(first.tenant().value()).isEqualTo("north");
    assertThat(first.subject()).isNotNull();
    assertThat(read.of("2").outcome()).isEqualTo(Outcome.FAILED);
    assertThat(read.of("3").problem()).isEqualTo("He said \"hi\".");
    assertThat(read.of("3").outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(read.of("3").attempts().get(0).score()).isEqualTo(0.5);
    assertThat(read.of("3").occurredAt()).isEqualTo(Instant.parse("2026-03-01T11:00:00Z"));
    assertThat(read.reasons())
        .containsExactly(
            "another number of fields than the header",
            "score outside 0 to 1",
            "time is neither ISO 8601 nor an epoch number",
            "verified is neither yes nor no");
    assertThatThrownBy(() -> Reading.of(csv, "format=csv", "map={prompt: text}"))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("the map's prompt=text is no column; its columns are [row, question");
    assertThatThrownBy(() -> Reading.of(csv))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("--map prompt=COLUMN");
  }

  @Test
  void anyJsonIsReadByItsMap() throws IOException {
    Path json = dir.resolve("mine.jsonl");
    Files.writeString(
        json,
        """
        {"req":{"text":"How far?","meta":"{\\"user\\":\\"anna\\"}"},"out":[{"say":"5 km"}],"good":true}
        {"req":{"text":["a","b"]},"out":[{"say":7}],"good":0}
        {"req":{},"out":[]}
        """);
    Reading read =
        Reading.of(
            json,
            "format=json",
            "map={prompt: req.text, completion: out.0.say, verified: good, subject:"
                + " req.meta.user}");

    assertThat(read.pairs()).containsExactly("How far? -> 5 km", "b -> 7");
    assertThat(read.interactions().get(0).subject()).isNotNull();
    assertThat(read.interactions())
        .extracting(Interaction::outcome)
        .containsExactly(Outcome.VERIFIED, Outcome.FAILED);
    assertThat(read.reasons()).containsExactly("no value at the map's prompt");
    assertThatThrownBy(() -> Reading.of(json, "format=json", "map={promt: req}"))
        .hasMessageContaining("map names 'promt'");
  }

  /** No field of any format may break a reader, whatever stands in it. */
  @Test
  void wrongTypesInEveryFieldAreReadOrQuarantined() throws IOException {
    List<JsonNode> wrong =
        List.of(
            JSON.readTree("null"),
            JSON.readTree("true"),
            JSON.readTree("-1"),
            JSON.readTree("1e400"),
            JSON.readTree("99999999999999999999999999"),
            JSON.readTree("\"\""),
            JSON.readTree("\"x\\u0000\\ud800\""),
            JSON.readTree("[]"),
            JSON.readTree("[[null],{}]"),
            JSON.readTree("{}"),
            JSON.readTree("{\"a\":{\"b\":[]}}"));
    List<String> lines = new ArrayList<>();
    for (JsonNode record : samples()) {
      for (JsonNode value : wrong) {
        replaceEach(record, record, value, lines);
      }
    }
    Path file = dir.resolve("wrong.jsonl");
    Files.write(file, lines);

    Reading read = Reading.of(file);

    assertThat(lines).hasSizeGreaterThan(5000);
    assertThat(read.records()).isGreaterThanOrEqualTo(lines.size());
    assertThat(read.reasons()).noneMatch(reason -> reason.startsWith("reader failed"));
  }

  private static List<JsonNode> samples() throws IOException {
    List<JsonNode> samples = new ArrayList<>();
    try (Stream<Path> files = Files.walk(LOGS)) {
      for (Path file : files.filter(f -> f.toString().matches(".*\\.jsonl?")).sorted().toList()) {
        if (file.toString().endsWith(".json")) {
          samples.add(JSON.readTree(file.toFile()));
        } else {
          for (String line : Files.readAllLines(file)) {
            samples.add(JSON.readTree(line));
          }
        }
      }
    }
    samples.removeIf(sample -> !sample.isObject() || sample.isEmpty() || sample.has("tables"));
    return samples;
  }

  /** The record once for each of its values, with another in its place. */
  private static void replaceEach(JsonNode root, JsonNode node, JsonNode value, List<String> lines)
      throws IOException {
    if (node instanceof ObjectNode object) {
      List<String> names = new ArrayList<>();
      object.fieldNames().forEachRemaining(names::add);
      for (String name : names) {
        JsonNode before = object.get(name);
        object.set(name, value);
        lines.add(JSON.writeValueAsString(root));
        object.set(name, before);
        replaceEach(root, before, value, lines);
      }
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        JsonNode before = array.get(i);
        array.set(i, value);
        lines.add(JSON.writeValueAsString(root));
        array.set(i, before);
        replaceEach(root, before, value, lines);
      }
    }
  }
}
