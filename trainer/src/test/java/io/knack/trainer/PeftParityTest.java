package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.Jsons;
import io.knack.llm.train.TokenSequence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Held against transformers + PEFT: {@code src/test/python/peft_parity.py} wrote the reference. */
class PeftParityTest {
  private static final Path FIXTURES = Path.of("src/test/resources/peft");

  @TempDir Path directory;

  /** The run that PEFT's {@code plain} is compared with; gives the adapter's directory. */
  static Path trainPlain(Path directory) throws Exception {
    LoraTraining.run(
        plan(),
        FIXTURES.resolve("base"),
        List.of(
            new AdapterTask("java", examples(0, 80), List.of(), FIXTURES.resolve("plain/initial"))),
        directory,
        directory.resolve("work"),
        TrainingListener.NONE);
    return directory.resolve("java");
  }

  private static TrainPlan plan(String... overrides) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "rank=4",
                "alpha=8",
                "learning_rate=0.005",
                "warmup_steps=3",
                "steps=20",
                "batch_size=4",
                "shuffle=false",
                "weight_decay=0.01",
                "workers=2",
                "base_model_name=tiny"));
    all.addAll(List.of(overrides));
    return Plans.read(TrainPlan.class, null, all);
  }

  private static JsonNode reference() throws Exception {
    return Jsons.mapper().readTree(FIXTURES.resolve("runs.json").toFile());
  }

  static List<TokenSequence> examples(int from, int to) throws Exception {
    List<TokenSequence> out = new ArrayList<>();
    JsonNode rows = reference().path("rows");
    for (int n = from; n < to; n++) {
      JsonNode row = rows.path(n);
      int[] ids = new int[row.path("ids").size()];
      float[] weights = new float[ids.length];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = row.path("ids").path(i).asInt();
        weights[i] = i >= row.path("start").asInt() ? 1 : 0;
      }
      out.add(new TokenSequence(ids, weights, 0));
    }
    return out;
  }

  private final Map<String, List<StepReport>> reports = new TreeMap<>();

  private Path train(TrainPlan plan, String out, List<AdapterTask> tasks) throws Exception {
    Path place = directory.resolve(out);
    LoraTraining.run(
        plan,
        FIXTURES.resolve("base"),
        tasks,
        place,
        directory.resolve(out + "-work"),
        new TrainingListener() {
          @Override
          public void step(StepReport report) {
            reports.computeIfAbsent(report.lane(), lane -> new ArrayList<>()).add(report);
          }
        });
    return place;
  }

  static void assertSame(Path actual, Path expected, double tolerance) {
    Map<String, float[]> wanted = Tensors.read(expected.resolve("adapter_model.safetensors"));
    Map<String, float[]> found = Tensors.read(actual.resolve("adapter_model.safetensors"));
    assertThat(found.keySet()).isEqualTo(wanted.keySet());
    wanted.forEach(
        (name, values) ->
            assertThat(found.get(name))
                .as(name)
                .usingComparatorWithPrecision((float) tolerance)
                .containsExactly(values));
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "rslora"})
  void twentyStepsAreThoseOfPeft(String name) throws Exception {
    TrainPlan plan =
        name.equals("plain")
            ? plan()
            : plan("rslora=true", "rank_pattern={q_proj: 2}", "alpha_pattern={down_proj: 4}");
    Path out =
        train(
            plan,
            "out",
            List.of(
                new AdapterTask(
                    name, examples(0, 80), List.of(), FIXTURES.resolve(name + "/initial"))));
    JsonNode losses = reference().path("runs").path(name).path("losses");
    JsonNode norms = reference().path("runs").path(name).path("norms");
    List<StepReport> steps = reports.get(name);
    assertThat(steps).hasSize(20);
    for (int i = 0; i < 20; i++) {
      assertThat(steps.get(i).loss())
          .isCloseTo(losses.path(i).asDouble(), Percentage.withPercentage(0.1));
      assertThat(steps.get(i).gradNorm())
          .isCloseTo(norms.path(i).asDouble(), Percentage.withPercentage(0.5));
    }
    assertSame(out.resolve(name), FIXTURES.resolve(name + "/final"), 1e-3);
  }

  @Test
  void manyAtOnceAreThoseTrainedAlone() throws Exception {
    List<AdapterTask> tasks = new ArrayList<>();
    for (int k = 0; k < 3; k++) {
      // Different sizes: lanes end at different steps.
      tasks.add(new AdapterTask("a" + k, examples(20 * k, 20 * k + 7 + 6 * k), List.of(), null));
    }
    TrainPlan plan = plan();
    TrainPlan byEpochs =
        Plans.read(
            TrainPlan.class,
            null,
            List.of("rank=4", "epochs=3", "batch_size=4", "workers=2", "learning_rate=0.005"));
    assertThat(plan.steps()).isEqualTo(20);
    Path together = train(byEpochs, "together", tasks);
    for (AdapterTask task : tasks) {
      Path alone = train(byEpochs, "alone", List.of(task));
      assertSame(together.resolve(task.name()), alone.resolve(task.name()), 1e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"packing=false", "activation_checkpointing=true", "workers=1", "micro_tokens=64"})
  void layoutDoesNotChangeWhatIsLearnt(String override) throws Exception {
    List<AdapterTask> tasks = List.of(new AdapterTask("a", examples(0, 80), List.of(), null));
    assertSame(
        train(plan(override), "other", tasks).resolve("a"),
        train(plan(), "plain", tasks).resolve("a"),
        1e-4);
  }

  @Test
  void withDropoutAResumedRunIsBitForBitTheSame() throws Exception {
    TrainPlan plan = plan("dropout=0.1", "checkpoint_every=5");
    List<AdapterTask> tasks =
        List.of(
            new AdapterTask("a", examples(0, 30), List.of(), null),
            new AdapterTask("b", examples(30, 50), List.of(), null));
    Path whole = train(plan, "whole", tasks);
    // A crash: the run dies between checkpoints, without a chance to save.
    int[] seen = {0};
    try {
      LoraTraining.run(
          plan,
          FIXTURES.resolve("base"),
          tasks,
          directory.resolve("parts"),
          directory.resolve("parts-work"),
          new TrainingListener() {
            @Override
            public void step(StepReport report) {
              if (++seen[0] == 25) {
                throw new IllegalStateException("crash");
              }
            }
          });
    } catch (IllegalStateException crash) {
      assertThat(crash).hasMessage("crash");
    }
    assertThat(directory.resolve("parts-work/step-10")).isDirectory();
    Path parts = train(plan, "parts", tasks);
    for (String name : List.of("a", "b")) {
      assertThat(Files.readAllBytes(parts.resolve(name + "/adapter_model.safetensors")))
          .isEqualTo(Files.readAllBytes(whole.resolve(name + "/adapter_model.safetensors")));
    }
    Path without = train(plan(), "without", tasks);
    assertThat(Files.readAllBytes(without.resolve("a/adapter_model.safetensors")))
        .isNotEqualTo(Files.readAllBytes(whole.resolve("a/adapter_model.safetensors")));
  }

  /** get_cosine_, get_linear_ and get_constant_schedule_with_warmup, 3 of 12 steps. */
  @Test
  void schedulesAreThoseOfTransformers() {
    double[] cosine = {
      0.0,
      0.3333333333333333,
      0.6666666666666666,
      1.0,
      0.9698463103929542,
      0.883022221559489,
      0.75,
      0.5868240888334653,
      0.41317591116653485,
      0.2500000000000001,
      0.11697777844051105,
      0.03015368960704584
    };
    for (int step = 0; step < 12; step++) {
      Offset<Double> exact = Offset.offset(1e-9);
      double warm = Math.min(1, step / 3.0);
      assertThat(Schedule.COSINE.factor(step, 3, 12)).isCloseTo(cosine[step], exact);
      assertThat(Schedule.LINEAR.factor(step, 3, 12))
          .isCloseTo(step < 3 ? warm : (12 - step) / 9.0, exact);
      assertThat(Schedule.CONSTANT.factor(step, 3, 12)).isCloseTo(warm, exact);
    }
  }
}
