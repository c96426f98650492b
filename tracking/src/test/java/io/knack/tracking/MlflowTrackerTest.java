package io.knack.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.cli.KnackCli;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Against a real MLflow server. */
class MlflowTrackerTest {
  private static MlflowServerProcess server;

  @BeforeAll
  static void start(@TempDir Path directory) throws Exception {
    server = MlflowServerProcess.start(directory, MlflowServerProcess.freePort());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static TrackingPlan plan(String address, String experiment) {
    return new TrackingPlan(
        address, experiment, "KNACK_NO_TOKEN", Duration.ofSeconds(20), Duration.ofSeconds(60));
  }

  private static List<JsonNode> runs(String experiment) throws Exception {
    String id =
        server
            .get("mlflow/experiments/get-by-name?experiment_name=" + experiment)
            .path("experiment")
            .path("experiment_id")
            .asText();
    List<JsonNode> runs = new ArrayList<>();
    server
        .post("mlflow/runs/search", "{\"experiment_ids\": [\"" + id + "\"]}")
        .path("runs")
        .forEach(runs::add);
    return runs;
  }

  private static Map<String, String> pairs(JsonNode list) {
    Map<String, String> map = new TreeMap<>();
    list.forEach(pair -> map.put(pair.path("key").asText(), pair.path("value").asText()));
    return map;
  }

  private static String record(RunTracker tracker, Path home) throws IOException {
    Path file = Files.writeString(home.resolve("card ä.json"), "{\"a\": 1}");
    try (TrackedRun night = tracker.start("night", Map.of("stage", "night"))) {
      try (TrackedRun run = tracker.start("train", night.key(), Map.of("stage", "train"))) {
        run.params(Map.of("rank", 16, "learning_rate", 1e-4));
        for (int step = 1; step <= 250; step++) {
          run.metrics(Map.of("loss", 1.0 / step, "grad_norm", 2.0), step);
        }
        run.metric("odd name?", Double.NaN, 1);
        run.tag("verdict", "promote");
        run.artifact(file, "cards");
        Files.delete(file);
        run.end(RunStatus.FINISHED);
        ModelVersion version = new ModelVersion("shop-" + home.getFileName(), "sha256:abc");
        tracker.registerModel(version, "/adapters/shop", run.key(), Map.of("rank", "16"));
        tracker.setVersionTag(version, "validation_status", "passed");
        tracker.setAlias(version, "challenger");
        tracker.setAlias(version, "champion");
        tracker.deleteAlias(version.model(), "challenger");
        ModelVersion manifest = new ModelVersion("knack-" + home.getFileName(), "v000001");
        tracker.registerModel(
            manifest, "file:///knack-home/serving/manifests/v000001.json", null, Map.of());
        tracker.setAlias(manifest, "champion");
        return run.key();
      }
    }
  }

  private static void check(String experiment, String key, Path home) throws Exception {
    List<JsonNode> runs = runs(experiment);
    assertThat(runs).hasSize(2);
    JsonNode run = named(runs, "train");
    JsonNode night = named(runs, "night");
    Map<String, String> tags = pairs(run.path("data").path("tags"));
    assertThat(tags)
        .containsEntry("knack.run", key)
        .containsEntry("verdict", "promote")
        .containsEntry("stage", "train")
        .containsEntry("mlflow.parentRunId", night.path("info").path("run_id").asText());
    assertThat(run.path("info").path("status").asText()).isEqualTo("FINISHED");
    assertThat(night.path("info").path("status").asText()).isEqualTo("FAILED");
    assertThat(pairs(run.path("data").path("params")))
        .containsExactly(Map.entry("learning_rate", "1.0E-4"), Map.entry("rank", "16"));
    assertThat(pairs(run.path("data").path("metrics")))
        .containsKeys("loss", "grad_norm", "odd name_");
    String id = run.path("info").path("run_id").asText();
    JsonNode history =
        server.get("mlflow/metrics/get-history?metric_key=loss&max_results=1000&run_id=" + id);
    assertThat(history.path("metrics")).hasSize(250);
    assertThat(history.path("metrics").path(249).path("value").asDouble()).isEqualTo(1.0 / 250);
    assertThat(
            server
                .get("mlflow/artifacts/list?path=cards&run_id=" + id)
                .path("files")
                .path(0)
                .path("path")
                .asText())
        .isEqualTo("cards/card ä.json");
    JsonNode champion =
        server
            .get("mlflow/registered-models/alias?alias=champion&name=shop-" + home.getFileName())
            .path("model_version");
    assertThat(champion.path("version").asText()).isEqualTo("1");
    assertThat(champion.path("run_id").asText()).isEqualTo(id);
    assertThat(pairs(champion.path("tags")))
        .containsEntry("knack.key", "sha256:abc")
        .containsEntry("validation_status", "passed")
        .containsEntry("rank", "16");
    assertThat(
            server
                .get(
                    "mlflow/registered-models/alias?alias=champion&name=knack-"
                        + home.getFileName())
                .path("model_version")
                .path("source")
                .asText())
        .isEqualTo("knack:///knack-home/serving/manifests/v000001.json");
    assertThat(
            server
                .get(
                    "mlflow/registered-models/alias?alias=challenger&name=shop-"
                        + home.getFileName())
                .path("error_code")
                .asText())
        .isNotEmpty();
  }

  private static JsonNode named(List<JsonNode> runs, String name) {
    return runs.stream()
        .filter(run -> run.path("info").path("run_name").asText().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void sendsEverythingAndClearsTheSpool(@TempDir Path home) throws Exception {
    String key;
    try (RunTracker tracker = RunTracker.open(plan(server.address(), "direct"), home)) {
      key = record(tracker, home);
    }
    check("direct", key, home);
    assertThat(files(home.resolve("tracking"))).containsExactly("sent");
  }

  @Test
  void sendsLaterWhatWasRecordedWithoutAServer(@TempDir Path home) throws Exception {
    String dead = "http://127.0.0.1:" + MlflowServerProcess.freePort();
    String key;
    try (RunTracker tracker = RunTracker.open(plan(dead, "later"), home)) {
      key = record(tracker, home);
    }
    assertThat(files(home.resolve("tracking"))).hasSize(3); // events, kept files, lock
    RunTracker.open(plan(server.address(), "later"), home).close();
    check("later", key, home);
    assertThat(files(home.resolve("tracking"))).containsExactly("sent");
  }

  @Test
  void sendingAgainMakesNothingTwice(@TempDir Path home) throws Exception {
    String key;
    try (RunTracker tracker = RunTracker.open(TrackingPlan.LOCAL, home)) {
      key = record(tracker, home);
    }
    Path tracking = home.resolve("tracking");
    Path copy = Files.createDirectories(home.resolve("copy/tracking"));
    for (String file : files(tracking)) {
      copyAll(tracking.resolve(file), copy.resolve(file));
    }
    // Local runs carry the experiment they were recorded for.
    for (Path place : List.of(home, home.resolve("copy"))) {
      RunTracker.open(plan(server.address(), "knack"), place).close();
    }
    check("knack", key, home);
  }

  /** Stages by the observer, one of them killed: one tree on the server. */
  @Test
  void aNightIsATreeOnTheServer(@TempDir Path home) throws Exception {
    TrackedStagesTest.trainedNight(home, plan(server.address(), "nights"));
    Path spool = home.resolve("tracking");
    // What a process that was killed leaves: a start without an end.
    Files.writeString(
        spool.resolve("20260101T000000Z-dead.jsonl"),
        "{\"event\":\"start\",\"time\":1,\"run\":\"dead\",\"experiment\":\"nights\","
            + "\"name\":\"reflect\",\"parent\":null,\"tags\":{\"knack.test\":\"tree\"}}\n"
            + "{\"event\":\"met");
    RunTracker.open(plan(server.address(), "nights"), home).close();
    List<JsonNode> runs = runs("nights");
    String night = named(runs, "night night-1").path("info").path("run_id").asText();
    assertThat(
            runs.stream()
                .filter(run -> run.path("info").path("run_name").asText().contains("night-1")))
        .hasSize(1);
    JsonNode train = named(runs, "train", "mlflow.parentRunId", night);
    JsonNode cluster =
        named(runs, "k-1", "mlflow.parentRunId", train.path("info").path("run_id").asText());
    assertThat(pairs(train.path("data").path("params"))).containsEntry("lora.rank", "8");
    assertThat(pairs(named(runs, "night night-1").path("data").path("tags")))
        .containsEntry("knack.stage.train", "committed")
        .containsEntry("knack.stage.curate", "failed");
    String id = cluster.path("info").path("run_id").asText();
    assertThat(
            server
                .get("mlflow/metrics/get-history?metric_key=loss&max_results=10&run_id=" + id)
                .path("metrics"))
        .extracting(metric -> metric.path("step").asLong())
        .containsExactly(1L, 2L);
    assertThat(server.get("mlflow/artifacts/list?path=adapter&run_id=" + id).path("files"))
        .extracting(file -> file.path("path").asText())
        .containsExactly("adapter/adapter_config.json", "adapter/adapter_model.safetensors");
    assertThat(named(runs, "reflect", "knack.test", "tree").path("info").path("status").asText())
        .isEqualTo("KILLED");
  }

  private static JsonNode named(List<JsonNode> runs, String name, String tag, String value) {
    return runs.stream()
        .filter(run -> run.path("info").path("run_name").asText().equals(name))
        .filter(run -> value.equals(pairs(run.path("data").path("tags")).get(tag)))
        .findFirst()
        .orElseThrow();
  }

  private static void copyAll(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path file : all.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  @Test
  void oneBadRecordTakesNoOtherWithIt(@TempDir Path home) throws Exception {
    try (RunTracker tracker = RunTracker.open(plan(server.address(), "bad"), home)) {
      TrackedRun run = tracker.start("r", Map.of());
      run.param("rank", 1);
      run.param("rank", 2); // Parameters keep their first value: MLflow refuses another.
      run.metric("loss", 3, 1);
      run.end(RunStatus.FINISHED);
    }
    JsonNode run = runs("bad").get(0);
    assertThat(pairs(run.path("data").path("params"))).containsEntry("rank", "1");
    assertThat(pairs(run.path("data").path("metrics"))).containsKey("loss");
    assertThat(run.path("info").path("status").asText()).isEqualTo("FINISHED");
    assertThat(files(home.resolve("tracking"))).anyMatch(name -> name.endsWith(".rejected.jsonl"));
  }

  @Test
  void whatIsDamagedKeepsNothingElseWaiting(@TempDir Path home) throws Exception {
    TrackingPlan local =
        new TrackingPlan(
            null, "damaged", "KNACK_NO_TOKEN", Duration.ofSeconds(20), Duration.ofSeconds(60));
    try (RunTracker tracker = RunTracker.open(local, home)) {
      tracker.start("offset", Map.of("knack.test", "damaged")).end(RunStatus.FINISHED);
    }
    Path spools = home.resolve("tracking");
    String offset = files(spools).get(0).replace(".jsonl", ".offset");
    Files.writeString(spools.resolve(offset), "");
    Files.write(
        spools.resolve("20200101T000000Z-a.jsonl"),
        "garbage\nnull\n[]\n{\"event\":\"tag\"}\n\u00ff\n{\"event\":\"new\"}\n"
            .getBytes(StandardCharsets.ISO_8859_1));
    Files.writeString(
        spools.resolve("20200101T000001Z-b.jsonl"),
        "x".repeat(3 << 20)
            + "\n{\"event\":\"start\",\"time\":1,\"run\":\"b\",\"experiment\":\"damaged\",\"name\":\"behind\","
            + "\"tags\":{}}\n{\"event\":\"end\",\"time\":2,\"run\":\"b\",\"status\":\"FINISHED\"}\n");
    Files.createDirectory(spools.resolve("20200101T000002Z-c.jsonl"));
    RunTracker.open(plan(server.address(), "damaged"), home).close();
    assertThat(named(runs("damaged"), "behind").path("info").path("status").asText())
        .isEqualTo("FINISHED");
    assertThat(named(runs("damaged"), "offset").path("info").path("status").asText())
        .isEqualTo("FINISHED");
    assertThat(spools.resolve("20200101T000000Z-a.rejected.jsonl"))
        .content()
        .hasLineCount(6)
        .contains("\"record\":\"garbage\"", "\"reason\":\"it is no record of a run\"");
    assertThat(files(spools))
        .containsExactlyInAnyOrder(
            "20200101T000000Z-a.rejected.jsonl",
            "20200101T000001Z-b.rejected.jsonl",
            "20200101T000002Z-c.jsonl",
            "sent");
  }

  @Test
  void whatWasRecordedWithoutAServerIsSentByHand(@TempDir Path home) throws Exception {
    TrackingPlan local =
        new TrackingPlan(
            null, "by-hand", "KNACK_NO_TOKEN", Duration.ofSeconds(20), Duration.ofSeconds(60));
    try (RunTracker tracker = RunTracker.open(local, home)) {
      tracker.start("recorded", Map.of("knack.test", "track")).end(RunStatus.FINISHED);
    }
    Path spools = home.resolve("tracking");
    assertThat(track(home, "http://127.0.0.1:9", "--wait", "1"))
        .isEqualTo("75 {\"sent\":0,\"waiting\":1,\"rejected\":0}");
    assertThat(files(spools)).anyMatch(name -> name.endsWith(".jsonl"));
    assertThat(track(home, server.address()))
        .isEqualTo("0 {\"sent\":1,\"waiting\":0,\"rejected\":0}");
    JsonNode run = named(runs("by-hand"), "recorded");
    assertThat(run.path("info").path("status").asText()).isEqualTo("FINISHED");
    assertThat(track(home, server.address()))
        .isEqualTo("0 {\"sent\":0,\"waiting\":0,\"rejected\":0}");
    assertThat(track(home, "localhost:5000")).isEqualTo("2 ");
  }

  private static String track(Path home, String address, String... more) {
    StringWriter out = new StringWriter();
    CommandLine line = KnackCli.commandLine(new CommandLine(new TrackCommand()));
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(new StringWriter()));
    List<String> words = new ArrayList<>(List.of("--json", "--server", address));
    words.addAll(List.of("--home", home.toString()));
    words.addAll(List.of(more));
    return line.execute(words.toArray(new String[0])) + " " + out.toString().strip();
  }
}
