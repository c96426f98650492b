package io.knack.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.AdapterCard;
import io.knack.contracts.Cluster;
import io.knack.contracts.Report;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleSet;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an artifact says of its clusters, as runs below the stage's. Numbers and ids only: no text
 * of a log leaves the workspace, but for the evaluation's report, which is an artifact of its run.
 */
final class ArtifactRecords {
  private static final Logger LOG = LoggerFactory.getLogger(ArtifactRecords.class);
  private static final ObjectMapper JSON = Jsons.mapper();

  /** Of a stage at most, the most promising first. */
  private static final int MOST_CLUSTERS = 100;

  /** Of large tables the columns that are counted, without texts and vectors. */
  private static final Table<EpisodeColumns> EPISODES =
      Tables.own(Tables.EPISODES.name(), EpisodeColumns.class);

  private static final Table<ExampleColumns> EXAMPLES =
      Tables.own(Tables.EXAMPLES.name(), ExampleColumns.class);

  /** Of an episode. */
  public record EpisodeColumns(ClusterId clusterId, long tokens) {}

  /** Of an example. */
  public record ExampleColumns(@Nullable ClusterId clusterId, Split split) {}

  private final RunTracker tracker;
  private final TrackedRun night;
  private final TrackedRun stage;

  ArtifactRecords(RunTracker tracker, TrackedRun night, TrackedRun stage) {
    this.tracker = tracker;
    this.night = night;
    this.stage = stage;
  }

  /** Records what there is; an artifact that cannot be read is told and left out. */
  void record(Artifact artifact) {
    try {
      stage.artifact(artifact.file(ArtifactStore.CARD), "");
      switch (artifact.ref().kind()) {
        case INTERACTIONS -> {}
        case CLUSTERS -> clusters(artifact);
        case CURRICULUM -> curriculum(artifact);
        case ADAPTERS -> adapters(artifact);
        case RULES -> rules(artifact);
        case EPISODES -> episodes(artifact);
        case EVALUATION -> evaluation(artifact);
      }
    } catch (IOException | UncheckedIOException | KnackException e) {
      LOG.warn("tracking: {} cannot be read: {}", artifact.ref(), e.toString());
    }
  }

  private void clusters(Artifact artifact) {
    try (Stream<Cluster> rows = Tables.CLUSTERS.readFrom(artifact.directory())) {
      rows.filter(Cluster::eligible)
          .sorted(
              Comparator.comparingDouble(Cluster::expectedSavingPerMonth)
                  .reversed()
                  .thenComparing(cluster -> cluster.clusterId().value()))
          .limit(MOST_CLUSTERS)
          .forEach(
              cluster -> {
                Map<String, Double> metrics = new TreeMap<>();
                metrics.put("size", (double) cluster.size());
                metrics.put("subjects", (double) cluster.subjects());
                metrics.put("days", (double) cluster.days());
                metrics.put("cohesion", cluster.cohesion());
                metrics.put("mean_completion_tokens", cluster.meanCompletionTokens());
                metrics.put("expected_saving_per_month", cluster.expectedSavingPerMonth());
                if (cluster.passRate() != null) {
                  metrics.put("pass_rate", cluster.passRate());
                }
                child(
                    cluster.clusterId().value(),
                    Map.of(
                        "family",
                        cluster.familyId().value(),
                        "event",
                        cluster.event().name().toLowerCase(Locale.ROOT)),
                    metrics);
              });
    }
  }

  private void curriculum(Artifact artifact) {
    Map<String, Map<String, Double>> counts = new TreeMap<>();
    try (Stream<ExampleColumns> rows = EXAMPLES.readFrom(artifact.directory())) {
      rows.filter(example -> example.clusterId() != null)
          .forEach(
              example ->
                  counts
                      .computeIfAbsent(
                          String.valueOf(example.clusterId()), cluster -> new TreeMap<>())
                      .merge(example.split().name().toLowerCase(Locale.ROOT), 1.0, Double::sum));
    }
    each(counts);
  }

  private void adapters(Artifact artifact) throws IOException {
    List<Path> directories;
    try (Stream<Path> paths = Files.list(artifact.directory())) {
      directories =
          paths.filter(path -> Files.exists(path.resolve(AdapterCard.FILE))).sorted().toList();
    }
    for (Path directory : directories) {
      AdapterCard card =
          JSON.readValue(Files.readString(directory.resolve(AdapterCard.FILE)), AdapterCard.class);
      try (TrackedRun run = start(card.clusterId().value())) {
        run.params(
            Map.of(
                "base_model",
                card.baseModel(),
                "examples",
                card.examples(),
                "steps",
                card.steps()));
        run.tag("knack.weights", AdapterCard.weightsDigest(directory));
        run.metric("device_seconds", card.deviceSeconds(), 0);
        Path metrics = directory.resolve("metrics.jsonl");
        if (Files.exists(metrics)) {
          for (String line : Files.readAllLines(metrics)) {
            steps(run, JSON.readTree(line));
          }
        }
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
          run.artifact(directory.resolve(name), "adapter");
        }
        run.end(RunStatus.FINISHED);
      }
    }
  }

  /** One line of a trainer's metrics: everything but the step is a metric of that step. */
  private static void steps(TrackedRun run, JsonNode line) {
    Map<String, Double> values = new TreeMap<>();
    line.properties()
        .forEach(
            field -> {
              if (field.getValue().isNumber() && !field.getKey().equals("step")) {
                values.put(field.getKey(), field.getValue().asDouble());
              }
            });
    run.metrics(values, line.path("step").asLong());
  }

  private void rules(Artifact artifact) throws IOException {
    RuleSet set = JSON.readValue(Files.readString(artifact.file("rules.json")), RuleSet.class);
    Map<String, Map<String, Double>> counts = new TreeMap<>();
    for (Rule rule : set.rules()) {
      Map<String, Double> of =
          counts.computeIfAbsent(rule.clusterId().value(), cluster -> new TreeMap<>());
      of.merge("rules", 1.0, Double::sum);
      of.merge("tokens", (double) rule.tokens(), Double::sum);
      of.merge("helped", (double) rule.helped(), Double::sum);
      of.merge("harmed", (double) rule.harmed(), Double::sum);
      of.merge("value", rule.value(), Double::sum);
    }
    each(counts);
  }

  private void episodes(Artifact artifact) {
    Map<String, Map<String, Double>> counts = new TreeMap<>();
    try (Stream<EpisodeColumns> rows = EPISODES.readFrom(artifact.directory())) {
      rows.forEach(
          episode -> {
            Map<String, Double> of =
                counts.computeIfAbsent(episode.clusterId().value(), cluster -> new TreeMap<>());
            of.merge("episodes", 1.0, Double::sum);
            of.merge("tokens", (double) episode.tokens(), Double::sum);
          });
    }
    each(counts);
  }

  private void evaluation(Artifact artifact) throws IOException {
    Report report = JSON.readValue(Files.readString(artifact.file("report.json")), Report.class);
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put("problems", (double) report.counts().gated());
    metrics.put("solved", (double) report.counts().solved());
    metrics.put("accuracy_change", report.evidence().meanDifference());
    metrics.put("saved_per_month", report.returns().savedPerMonth());
    metrics.put("night_cost", report.returns().nightCost());
    report.comparisons().stream()
        .filter(of -> of.phase().equals("gate") && of.dimension().equals("all"))
        .forEach(of -> metrics.put("saving." + of.arm(), of.saving().estimate()));
    stage.metrics(metrics, 0);
    night.metrics(metrics, 0);
    String verdict = JSON.valueToTree(report.verdict()).path("decision").asText();
    stage.tag("knack.verdict", verdict);
    night.tag("knack.verdict", verdict);
    for (TrackedRun run : List.of(stage, night)) {
      run.artifact(artifact.file("report.json"), "report");
      run.artifact(artifact.file("report.html"), "report");
    }
    for (Report.EntryReport entry : report.entries()) {
      Map<String, Double> of = new TreeMap<>();
      of.put("problems_per_month", entry.problemsPerMonth());
      of.put("expected_saving", entry.expectedSaving());
      of.put("trigger_recall", entry.triggerRecall());
      of.put("trigger_misfires", entry.triggerMisfires());
      for (Report.ArmReport arm : entry.arms()) {
        of.put("screened_saving." + arm.arm(), arm.saving());
        of.put("screened_accuracy_change." + arm.arm(), arm.accuracyChange());
      }
      child(
          entry.clusterId().value(),
          Map.of(
              "memory",
              entry.memory(),
              "verdict",
              JSON.valueToTree(entry.verdict()).path("decision").asText()),
          of);
    }
  }

  private void each(Map<String, Map<String, Double>> metrics) {
    metrics.entrySet().stream()
        .limit(MOST_CLUSTERS)
        .forEach(of -> child(of.getKey(), Map.of(), of.getValue()));
  }

  private void child(String cluster, Map<String, ?> params, Map<String, Double> metrics) {
    try (TrackedRun run = start(cluster)) {
      if (!params.isEmpty()) {
        run.params(params);
      }
      run.metrics(metrics, 0);
      run.end(RunStatus.FINISHED);
    }
  }

  private TrackedRun start(String cluster) {
    return tracker.start(cluster, stage.key(), Map.of("knack.cluster", cluster));
  }
}
