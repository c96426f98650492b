package io.knack.spark.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Interaction;
import io.knack.contracts.Outcome;
import io.knack.contracts.Quarantined;
import io.knack.contracts.Role;
import io.knack.contracts.cli.Console;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.SharedSpark;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ImportStageTest {
  private static final String OPENAI =
      """
      {"request":{"model":"m","user":"u1","messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"2+2? mail me at jo@example.org"}]},"response":{"id":"chatcmpl-%d","created":17559000%02d,"model":"m-1","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"4"}}],"usage":{"prompt_tokens":14,"completion_tokens":1}}}
      """;

  @TempDir Path directory;

  @Test
  void readsEveryKindOfLog() throws IOException {
    write("openai.jsonl", OPENAI.formatted(1, 1));
    write(
        "litellm.jsonl",
        """
        {"id":"l1","call_type":"acompletion","status":"success","model":"m","model_group":"small","prompt_tokens":14,"completion_tokens":1,"response_cost":2.7e-06,"startTime":1755900000.1,"endTime":1755900000.6,"messages":[{"role":"user","content":"2+2?"}],"response":{"choices":[{"message":{"role":"assistant","content":"4"}}]},"end_user":"u1","request_tags":["svc:a"],"metadata":{"user_api_key_team_id":"t1"}}
        """);
    write(
        "langfuse.jsonl",
        """
        {"id":"o1","trace_id":"t1","project_id":"p","type":"GENERATION","start_time":"2026-08-22T01:00:00.000Z","input":[{"role":"user","content":"2+2?"}],"output":{"role":"assistant","content":"5"},"updated_at":"2026-08-22T01:00:01Z","usage_details":{"input":14,"output":1}}
        {"id":"o1","trace_id":"t1","project_id":"p","type":"GENERATION","start_time":"2026-08-22T01:00:00.000Z","input":[{"role":"user","content":"2+2?"}],"output":{"role":"assistant","content":"4"},"updated_at":"2026-08-22T01:00:02Z","usage_details":{"input":14,"output":1}}
        {"id":"o2","trace_id":"t1","project_id":"p","type":"SPAN","start_time":"2026-08-22T01:00:00.000Z"}
        {"id":"s1","timestamp":"2026-08-22T01:00:00Z","trace_id":"t1","observation_id":"o1","name":"correctness","value":1,"data_type":"BOOLEAN"}
        {"id":"t1","timestamp":"2026-08-22T01:00:00Z","project_id":"p","user_id":"u7","session_id":"sess"}
        """);
    write(
        "otel.json",
        """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"svc"}}]},"scopeSpans":[{"spans":[
          {"name":"chat m","spanId":"sp1","startTimeUnixNano":"1755900000100000000","endTimeUnixNano":"1755900000600000000","attributes":[
            {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
            {"key":"gen_ai.usage.input_tokens","value":{"intValue":"14"}},
            {"key":"gen_ai.input.messages","value":{"stringValue":"[{\\"role\\":\\"user\\",\\"parts\\":[{\\"type\\":\\"text\\",\\"content\\":\\"2+2?\\"}]}]"}},
            {"key":"gen_ai.output.messages","value":{"stringValue":"[{\\"role\\":\\"assistant\\",\\"parts\\":[{\\"type\\":\\"text\\",\\"content\\":\\"4\\"}]}]"}}]},
          {"name":"legacy","spanId":"sp2","startTimeUnixNano":"1755900000100000000","attributes":[
            {"key":"gen_ai.system","value":{"stringValue":"openai"}},
            {"key":"gen_ai.prompt.0.role","value":{"stringValue":"user"}},
            {"key":"gen_ai.prompt.0.content","value":{"stringValue":"2+2?"}},
            {"key":"gen_ai.completion.0.content","value":{"stringValue":"4"}}]},
          {"name":"execute_tool x","spanId":"sp3","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}}]}]}]}]}
        """);
    write(
        "mlflow.json",
        """
        {"info":{"trace_id":"tr-1","request_time":"2025-10-22T04:14:54.524Z","state":"OK","request_preview":"no","trace_metadata":{"mlflow.trace_schema.version":"3"},"tags":{},
          "assessments":[{"assessment_name":"correctness","feedback":{"value":true}}]},
         "data":{"spans":[{"span_id":"a=","parent_span_id":"","start_time_unix_nano":1761106494524157000,"end_time_unix_nano":1761106494584860000,
          "attributes":{"mlflow.spanType":"\\"LLM\\"","mlflow.spanInputs":"{\\"messages\\":[{\\"role\\":\\"user\\",\\"content\\":\\"2+2?\\"}]}","mlflow.spanOutputs":"\\"4\\""}}]}}
        """);
    write(
        "old-mlflow.jsonl",
        """
        {"info":{"request_id":"r","timestamp_ms":1},"data":{"spans":[{"context":{"trace_id":"0x1"}}]}}
        """);
    write(
        "sharegpt.jsonl",
        """
        {"conversations":[{"from":"human","value":"2+2?"},{"from":"gpt","value":"4"}],"system":"Be terse."}
        {"instruction":"2+2?","input":"","output":"4"}
        """);
    write(
        "gsm.jsonl",
        """
        {"question":"2+2?","ground_truth":"2+2=<<2+2=4>>4\\nA: 4","a":{"is_correct":false,"solution":"A: 5"},"b":{"is_correct":true,"solution":"2+2\\nA: 4"}}
        """);
    write(
        "batch-in.jsonl",
        """
        {"custom_id":"c1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"2+2?"}]}}
        """);
    write(
        "batch-out.jsonl",
        """
        {"id":"batch_req_1","custom_id":"c1","response":{"status_code":200,"body":{"id":"x","created":1755900000,"choices":[{"message":{"role":"assistant","content":"4"}}]}},"error":null}
        """);

    StageRunner.Ending ending = run("input=" + directory.resolve("in"));

    List<Interaction> rows = rows();
    assertThat(rows).hasSize(11).allMatch(row -> row.problem().startsWith("2+2?"));
    assertThat(rows.stream().map(Interaction::completion).filter(c -> c == null || !c.contains("4")))
        .isEmpty();
    assertThat(ending.figures())
        .containsEntry("quarantined", 1L)
        .containsEntry("duplicates", 1L)
        .containsEntry("added", 11L);
    assertThat(quarantine()).singleElement().satisfies(q -> assertThat(q.reason()).contains("schema 2"));
    Interaction openai = byId(rows, "chatcmpl-1");
    assertThat(openai.problem()).isEqualTo("2+2? mail me at [EMAIL_1]");
    assertThat(openai.messages().get(0).role()).isEqualTo(Role.SYSTEM);
    assertThat(openai.subject()).isNotNull().satisfies(s -> assertThat(s.value()).doesNotContain("u1"));
    assertThat(openai.budget().promptTokens()).isEqualTo(14);
    assertThat(byId(rows, "l1").latencyMicros()).isEqualTo(500_000L);
    assertThat(byId(rows, "l1").tags()).containsEntry("svc", "a");
    Interaction generation = byId(rows, "o1");
    assertThat(generation.completion()).isEqualTo("4");
    assertThat(generation.outcome()).isEqualTo(Outcome.VERIFIED);
    assertThat(generation.conversation()).hasToString("sess");
    assertThat(generation.subject()).isNotNull();
    assertThat(byId(rows, "tr-1").outcomeSource()).isEqualTo("mlflow:correctness");
    assertThat(byId(rows, "batch_req_1").problem()).isEqualTo("2+2?");
    assertThat(rows.stream().filter(r -> r.attempts().size() == 3)).singleElement()
        .satisfies(r -> assertThat(r.reference()).isEqualTo("4"));
  }

  @Test
  void theSameFileTwiceChangesNothingAndOneThatGrewAddsWhatIsNew() throws IOException {
    write("a.jsonl", "{\"q\":\"one\"}\n{\"q\":\"two\"}\n");
    String[] plan = {"input=" + directory.resolve("in"), "format=json", "map={prompt: q}"};

    assertThat(run(plan).figures()).containsEntry("added", 2L).containsEntry("undated", 2L);
    assertThat(run(plan)).satisfies(e -> {
      assertThat(e.outcome()).isEqualTo("unchanged");
      assertThat(e.figures()).containsEntry("added", 0L).containsEntry("duplicates", 2L);
    });
    write("a.jsonl", "{\"q\":\"one\"}\n{\"q\":\"two\"}\n{\"q\":\"three\"}\n");
    assertThat(run(plan).figures()).containsEntry("added", 1L).containsEntry("duplicates", 2L);
    assertThat(rows()).extracting(Interaction::problem).containsExactlyInAnyOrder("one", "two", "three");
    assertThat(rows().stream().map(Interaction::occurredAt).distinct()).hasSize(3);
  }

  @Test
  void brokenCopiesLoseNothing() throws IOException {
    StringBuilder log = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      log.append(OPENAI.formatted(i, i));
    }
    byte[] whole = log.toString().getBytes(StandardCharsets.UTF_8);
    byte[] flipped = whole.clone();
    Random random = new Random(7);
    for (int i = 0; i < whole.length / 100; i++) {
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
    }
    Path in = Files.createDirectories(directory.resolve("in"));
    Files.write(in.resolve("flipped.jsonl"), flipped);
    Files.write(in.resolve("truncated.jsonl"), java.util.Arrays.copyOf(whole, whole.length - 100));
    Files.write(in.resolve("utf16.jsonl"), log.toString().getBytes(StandardCharsets.UTF_16));
    Files.write(in.resolve("latin1.jsonl"), "{\"q\":\"caf\u00e9\"}\n".getBytes(StandardCharsets.ISO_8859_1));
    Files.writeString(in.resolve("long.jsonl"), "{\"q\":\"" + "x".repeat(50_000_000) + "\"}\n");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(in.resolve("whole.jsonl.gz")))) {
      out.write(whole);
    }
    byte[] packed = Files.readAllBytes(in.resolve("whole.jsonl.gz"));
    Files.write(in.resolve("cut.jsonl.gz"), java.util.Arrays.copyOf(packed, packed.length / 2));

    StageRunner.Ending ending = run("input=" + in);

    long total = (long) ending.figures().get("total");
    long valid = (long) ending.figures().get("valid");
    assertThat(valid + (long) ending.figures().get("quarantined")).isEqualTo(total);
    // every line of the four whole or damaged copies, and one each of the odd files
    assertThat(total).isGreaterThanOrEqualTo(60 * 3 + 55 + 3);
    assertThat(rows().stream().map(r -> r.id().value()).filter(id -> id.startsWith("chatcmpl"))).hasSizeGreaterThanOrEqualTo(60);
    assertThat(quarantine()).extracting(Quarantined::reason)
        .anyMatch(reason -> reason.startsWith("line of more than"))
        .anyMatch(reason -> reason.startsWith("not in the character set"))
        .anyMatch(reason -> reason.startsWith("file is damaged or cut off"));
  }

  @Test
  void csvWithQuotesAndAStrayOne() throws IOException {
    write("a.csv", "id,question\n1,\"two\nlines, \"\"quoted\"\"\"\n2,\"stray\n3,plain 5\" pipe\n4,last\n");

    run("input=" + directory.resolve("in"), "map={id: id, prompt: question}");

    assertThat(rows()).extracting(Interaction::problem)
        .containsExactlyInAnyOrder("two\nlines, \"quoted\"", "plain 5\" pipe", "last");
    assertThat(quarantine()).singleElement().satisfies(q -> assertThat(q.line()).isEqualTo(4));
    assertThatThrownBy(() -> run("input=" + directory.resolve("in")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("its columns are [id, question]");
  }

  private StageRunner.Ending run(String... plan) {
    Clock clock = Clock.fixed(Instant.parse("2026-09-01T00:00:00Z"), ZoneOffset.UTC);
    return new StageRunner(directory.resolve("home"), clock, Console.silent())
        .run(
            new ImportStage(SharedSpark::session),
            Plans.read(ImportPlan.class, null, List.of(plan)),
            StageRunner.newRunId(Clock.systemUTC()));
  }

  private void write(String name, String text) throws IOException {
    Path in = Files.createDirectories(directory.resolve("in"));
    Files.writeString(in.resolve(name), text);
  }

  private List<Interaction> rows() {
    List<Interaction> rows = new ArrayList<>();
    for (Artifact artifact : ArtifactStore.open(directory.resolve("home")).chain(ArtifactKind.INTERACTIONS)) {
      if (Files.exists(artifact.file("interactions"))) {
        rows.addAll(Tables.INTERACTIONS.readAllFrom(artifact.directory()));
      }
    }
    return rows;
  }

  private List<Quarantined> quarantine() {
    List<Quarantined> rows = new ArrayList<>();
    for (Artifact artifact : ArtifactStore.open(directory.resolve("home")).chain(ArtifactKind.INTERACTIONS)) {
      if (Files.exists(artifact.file("quarantine"))) {
        rows.addAll(Tables.QUARANTINE.readAllFrom(artifact.directory()));
      }
    }
    return rows;
  }

  private static Interaction byId(List<Interaction> rows, String id) {
    return rows.stream().filter(row -> row.id().value().equals(id)).findFirst().orElseThrow();
  }
}
