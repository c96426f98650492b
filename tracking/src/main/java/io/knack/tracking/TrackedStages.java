package io.knack.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.StageObserver;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * Every stage as a tracked run: one run a night, below it one a stage, below that one a cluster.
 * All is read from the stage's plan, ending and artifact, so no stage knows of it.
 *
 * <p>The night's run has a key made of the workspace's and the run id; each stage's process goes on
 * with it, whoever started the stages: Knack's schedule, Airflow or a person. Its status is that of
 * the stage that ended last. Where runs go is said by MLflow's own environment variables, see
 * {@link TrackingPlan#of}.
 */
public final class TrackedStages implements StageObserver {
  private final UnaryOperator<TrackingPlan> plan;

  /** For the service loader. */
  public TrackedStages() {
    this(local -> TrackingPlan.of(System.getenv()));
  }

  TrackedStages(UnaryOperator<TrackingPlan> plan) {
    this.plan = plan;
  }

  @Override
  public Watch begin(Beginning beginning) {
    RunTracker tracker = RunTracker.open(plan.apply(TrackingPlan.LOCAL), beginning.home());
    String run = beginning.run().value();
    TrackedRun night =
        tracker.join(
            "night " + run,
            "night-" + workspace(beginning.home()) + "-" + run,
            Map.of("knack.night", run));
    Map<String, String> tags = new TreeMap<>();
    tags.put("knack.night", run);
    tags.put("knack.stage", beginning.stage());
    beginning
        .inputs()
        .forEach(ref -> tags.merge("knack.input." + ref.kind().wire(), ref.digest(), (a, b) -> b));
    TrackedRun stage = tracker.start(beginning.stage(), night.key(), tags);
    stage.params(flat(beginning.plan()));
    return new StageWatch(tracker, night, stage, beginning.stage(), System.nanoTime());
  }

  /** A name of the workspace that no other has, made on first use; "unknown" on a full disk. */
  private static String workspace(Path home) {
    Path file = home.resolve("tracking").resolve("workspace");
    try {
      if (!Files.exists(file)) {
        Files.createDirectories(file.getParent());
        DurableFiles.createNew(file, UUID.randomUUID().toString().substring(0, 13));
      }
    } catch (FileAlreadyExistsException e) {
      // Another stage of this workspace was first: its name counts.
    } catch (IOException e) {
      return "unknown";
    }
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }

  /** A plan as parameters: {@code gate.alpha} and so on. */
  static Map<String, String> flat(String plan) {
    Map<String, String> values = new TreeMap<>();
    try {
      flatten("", Jsons.mapper().readTree(plan), values);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("a plan is JSON, found: " + plan, e);
    }
    return values;
  }

  private static void flatten(String path, JsonNode node, Map<String, String> values) {
    if (node.isObject()) {
      node.properties()
          .forEach(
              field ->
                  flatten(
                      path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                      field.getValue(),
                      values));
    } else if (!node.isNull()) {
      values.put(path, node.isTextual() ? node.asText() : node.toString());
    }
  }

  private record StageWatch(
      RunTracker tracker, TrackedRun night, TrackedRun stage, String name, long startedNanos)
      implements Watch {

    @Override
    public void ended(StageRunner.Ending ending, Optional<Artifact> artifact) {
      stage.tag("knack.outcome", ending.outcome());
      if (ending.reason() != null) {
        stage.tag("knack.reason", ending.reason());
      }
      if (ending.artifact() != null) {
        stage.tag("knack.artifact", ending.artifact().toString());
      }
      stage.metrics(numbers(ending.figures()), 0);
      artifact.ifPresent(found -> new ArtifactRecords(tracker, night, stage).record(found));
      end(ending.outcome(), RunStatus.FINISHED);
    }

    @Override
    public void failed(ExitCode exit, String reason) {
      stage.tag("knack.exit", String.valueOf(exit.code()));
      stage.tag("knack.reason", reason);
      end("failed", exit == ExitCode.TEMPORARY ? RunStatus.KILLED : RunStatus.FAILED);
    }

    private void end(String outcome, RunStatus status) {
      double seconds = (System.nanoTime() - startedNanos) / 1e9;
      stage.metric("seconds", seconds, 0);
      night.metric(name + ".seconds", seconds, 0);
      night.tag("knack.stage." + name, outcome);
      stage.end(status);
      night.end(status);
      tracker.close();
    }

    private static Map<String, Double> numbers(Map<String, Object> figures) {
      Map<String, Double> numbers = new TreeMap<>();
      figures.forEach(
          (name, value) -> {
            if (value instanceof Number number) {
              numbers.put(name, number.doubleValue());
            }
          });
      return numbers;
    }
  }
}
