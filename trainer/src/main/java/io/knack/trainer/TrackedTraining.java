package io.knack.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.Jsons;
import io.knack.tracking.RunStatus;
import io.knack.tracking.RunTracker;
import io.knack.tracking.TrackedRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Records a training: a run with the plan, and below it a run of each adapter with its metrics and,
 * when it has ended well, its files. Passes everything on to another listener.
 */
final class TrackedTraining implements TrainingListener, AutoCloseable {
  private final TrainingListener next;
  private final TrackedRun whole;
  private final Map<String, TrackedRun> lanes = new TreeMap<>();
  private RunStatus status = RunStatus.FAILED;

  TrackedTraining(
      RunTracker tracker,
      String name,
      TrainPlan plan,
      List<AdapterTask> tasks,
      TrainingListener next) {
    this.next = next;
    this.whole = tracker.start(name, Map.of("knack.stage", "train"));
    whole.params(parameters(plan));
    for (AdapterTask task : tasks) {
      TrackedRun lane =
          tracker.start(
              task.name().isEmpty() ? "adapter" : task.name(),
              whole.key(),
              Map.of("knack.adapter", task.name()));
      lane.params(
          Map.of("examples", task.examples().size(), "validation", task.validation().size()));
      lanes.put(task.name(), lane);
    }
  }

  /**
   * Where the plan names a server, so that losses can be watched while they fall. Without one a
   * workspace still has the stage's run, with the losses, when it has ended.
   */
  static RunTracker tracker(TrainPlan plan, Path home) {
    return plan.tracking().server() == null
        ? RunTracker.none()
        : RunTracker.open(plan.tracking(), home);
  }

  private static Map<String, Object> parameters(TrainPlan plan) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, JsonNode> field :
          Jsons.mapper().readTree(Plans.canonicalJson(plan)).properties()) {
        JsonNode value = field.getValue();
        if (!value.isNull() && !field.getKey().equals("tracking")) {
          parameters.put(field.getKey(), value.isValueNode() ? value.asText() : value.toString());
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("a plan that is not JSON", e);
    }
    return parameters;
  }

  @Override
  public void planned(String words) {
    whole.tag("memory_plan", words);
    next.planned(words);
  }

  @Override
  public void step(StepReport report) {
    Map<String, Double> values = new TreeMap<>();
    values.put("loss", report.loss());
    values.put("learning_rate", report.learningRate());
    values.put("grad_norm", report.gradNorm());
    values.put("tokens", (double) report.tokens());
    values.put("tokens_per_second", report.tokensPerSecond());
    lane(report.lane()).metrics(values, report.step());
    next.step(report);
  }

  @Override
  public void validated(String lane, long step, double loss) {
    lane(lane).metric("validation_loss", loss, step);
    next.validated(lane, step, loss);
  }

  @Override
  public void stoppedEarly(String lane, long step, double bestLoss) {
    lane(lane).tag("stopped_early_at", Long.toString(step));
    next.stoppedEarly(lane, step, bestLoss);
  }

  @Override
  public void checkpointed(long step) {
    next.checkpointed(step);
  }

  @Override
  public boolean stopRequested() {
    boolean asked = next.stopRequested();
    if (asked) {
      status = RunStatus.KILLED;
    }
    return asked;
  }

  /** The training has ended well. */
  void finished(List<LoraTraining.Outcome> outcomes) throws IOException {
    for (LoraTraining.Outcome outcome : outcomes) {
      TrackedRun lane = lane(outcome.name());
      lane.params(
          Map.of(
              "data_digest", outcome.dataDigest(),
              "steps", outcome.steps(),
              "skipped", outcome.skipped()));
      lane.metric("final_loss", outcome.loss(), outcome.steps());
      for (String file :
          List.of(
              "adapter_config.json", "adapter_model.safetensors", "README.md", "metrics.jsonl")) {
        Path path = outcome.directory().resolve(file);
        if (Files.exists(path)) {
          lane.artifact(path, "adapter");
        }
      }
      lane.end(RunStatus.FINISHED);
    }
    status = RunStatus.FINISHED;
  }

  private TrackedRun lane(String name) {
    TrackedRun lane = lanes.get(name);
    if (lane == null) {
      throw new IllegalStateException("no adapter " + name + " is trained");
    }
    return lane;
  }

  @Override
  public void close() {
    for (TrackedRun lane : lanes.values()) {
      lane.end(status);
      lane.close();
    }
    whole.end(status);
    whole.close();
  }
}
