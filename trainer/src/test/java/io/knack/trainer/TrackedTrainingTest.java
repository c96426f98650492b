package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.TemporaryException;
import io.knack.tracking.ModelVersion;
import io.knack.tracking.RunStatus;
import io.knack.tracking.RunTracker;
import io.knack.tracking.TrackedRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrackedTrainingTest {
  @TempDir Path directory;

  /** Remembers what it is told. */
  private static final class Memory implements RunTracker {
    private final List<Run> runs = new ArrayList<>();

    private static final class Run implements TrackedRun {
      private final String name;
      private final @Nullable String parent;
      private final Map<String, Object> params = new TreeMap<>();
      private final Map<String, List<Double>> metrics = new TreeMap<>();
      private final List<String> files = new ArrayList<>();
      private @Nullable RunStatus status;

      Run(String name, @Nullable String parent) {
        this.name = name;
        this.parent = parent;
      }

      @Override
      public String key() {
        return "key of " + name;
      }

      @Override
      public void params(Map<String, ?> values) {
        params.putAll(values);
      }

      @Override
      public void metrics(Map<String, Double> values, long step) {
        values.forEach((k, v) -> metrics.computeIfAbsent(k, n -> new ArrayList<>()).add(v));
      }

      @Override
      public void tag(String tag, String value) {}

      @Override
      public void artifact(Path file, String place) {
        files.add(place + "/" + file.getFileName());
      }

      @Override
      public void end(RunStatus end) {
        status = status == null ? end : status;
      }

      @Override
      public void close() {
        end(RunStatus.FAILED);
      }
    }

    @Override
    public TrackedRun join(String name, String key, Map<String, String> tags) {
      return start(name, key, tags);
    }

    @Override
    public TrackedRun start(String name, @Nullable String parent, Map<String, String> tags) {
      Run run = new Run(name, parent);
      runs.add(run);
      return run;
    }

    @Override
    public void registerModel(
        ModelVersion version, String source, @Nullable String run, Map<String, String> tags) {}

    @Override
    public void setAlias(ModelVersion version, String alias) {}

    @Override
    public void deleteAlias(String model, String alias) {}

    @Override
    public void setVersionTag(ModelVersion version, String name, String value) {}

    @Override
    public long pending() {
      return 0;
    }

    @Override
    public void close() {}
  }

  private void train(Memory memory, TrainingListener next) throws Exception {
    TrainPlan plan =
        Plans.read(
            TrainPlan.class, null, List.of("rank=4", "steps=3", "workers=1", "base_model_name=b"));
    List<AdapterTask> tasks = TrainingProcess.tasks();
    try (TrackedTraining tracked = new TrackedTraining(memory, "night", plan, tasks, next)) {
      tracked.finished(
          LoraTraining.run(
              plan,
              Path.of("src/test/resources/peft/base"),
              tasks,
              directory,
              directory.resolve("work"),
              tracked));
    }
  }

  @Test
  void aRunOfTheWholeAndOneOfEachAdapter() throws Exception {
    Memory memory = new Memory();
    train(memory, TrainingListener.NONE);
    assertThat(memory.runs).extracting(r -> r.name).containsExactly("night", "a", "b");
    assertThat(memory.runs).extracting(r -> r.status).containsOnly(RunStatus.FINISHED);
    Memory.Run whole = memory.runs.get(0);
    assertThat(whole.params)
        .containsEntry("rank", "4")
        .containsEntry("base_model_name", "b")
        .doesNotContainKey("tracking");
    for (Memory.Run lane : memory.runs.subList(1, 3)) {
      assertThat(lane.parent).isEqualTo(whole.key());
      assertThat(lane.metrics.get("loss")).hasSize(3);
      assertThat(lane.metrics).containsKeys("learning_rate", "grad_norm", "tokens_per_second");
      assertThat(lane.params).containsKey("data_digest");
      assertThat(lane.files)
          .contains("adapter/adapter_model.safetensors", "adapter/adapter_config.json");
    }
  }

  @Test
  void aStoppedTrainingIsKilledNotFailed() {
    Memory memory = new Memory();
    TrainingListener stopping =
        new TrainingListener() {
          @Override
          public boolean stopRequested() {
            return true;
          }
        };
    assertThatThrownBy(() -> train(memory, stopping)).isInstanceOf(TemporaryException.class);
    assertThat(memory.runs).extracting(r -> r.status).containsOnly(RunStatus.KILLED);
  }
}
