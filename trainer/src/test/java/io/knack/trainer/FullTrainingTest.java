package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.train.SmallDecoders;
import io.knack.llm.train.TokenSequence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullTrainingTest {
  private static final ModelConfig SHAPE =
      SmallDecoders.llama(24, 32, 2, 4, 2, 48, ModelConfig.Embeddings.TIED, 32, List.of(1));

  @TempDir Path directory;

  private static FullPlan plan(String... overrides) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "steps=40",
                "batch_size=16",
                "learning_rate=0.01",
                "warmup_steps=10",
                "workers=2",
                "checkpoint_every=0"));
    all.addAll(List.of(overrides));
    return Plans.read(FullPlan.class, null, all);
  }

  /** Copying: a random word, a mark, the word again; only the copy counts. */
  private static TokenSequence example(long n) {
    SplittableRandom random = new SplittableRandom(n);
    int length = 4;
    int[] ids = new int[2 * length + 1];
    float[] weights = new float[ids.length];
    for (int i = 0; i < length; i++) {
      ids[i] = 4 + random.nextInt(20);
      ids[length + 1 + i] = ids[i];
      weights[length + 1 + i] = 1;
    }
    ids[length] = 2;
    return new TokenSequence(ids, weights, 0);
  }

  private FullTraining.Outcome run(FullPlan plan, String name, TrainingListener listener)
      throws Exception {
    return FullTraining.run(
        plan,
        SHAPE,
        FullTrainingTest::example,
        "copies-1",
        directory.resolve(name + "-work"),
        directory.resolve(name),
        listener);
  }

  @Test
  void learnsToCopy() throws Exception {
    List<Double> losses = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(StepReport report) {
            losses.add(report.loss());
          }
        };
    FullTraining.Outcome outcome = run(plan("steps=150", "init_deviation=0.08"), "copy", listener);
    assertThat(losses.get(0)).isBetween(Math.log(24) - 0.3, Math.log(24) + 0.3);
    assertThat(outcome.loss()).isLessThan(0.5);
    assertThat(ModelConfig.of(directory.resolve("copy")).stopIds()).containsExactly(1);
  }

  @Test
  void stoppedAndResumedIsBitForBitTheUninterruptedRun() throws Exception {
    run(plan(), "whole", TrainingListener.NONE);
    for (int stopAt : new int[] {7, 20}) {
      int[] seen = {0};
      TrainingListener stopping =
          new TrainingListener() {
            @Override
            public void step(StepReport report) {
              seen[0]++;
            }

            @Override
            public boolean stopRequested() {
              return seen[0] == stopAt;
            }
          };
      assertThatThrownBy(() -> run(plan(), "parts", stopping))
          .isInstanceOf(TemporaryException.class)
          .hasMessageContaining("the same command goes on from there");
    }
    int[] first = {-1};
    run(
        plan(),
        "parts",
        new TrainingListener() {
          @Override
          public void step(StepReport report) {
            first[0] = first[0] < 0 ? (int) report.step() : first[0];
          }
        });
    assertThat(first[0]).isEqualTo(28);
    assertThat(Files.readAllBytes(directory.resolve("parts/model.safetensors")))
        .isEqualTo(Files.readAllBytes(directory.resolve("whole/model.safetensors")));
  }

  @Test
  void anotherPlanDoesNotResumeThisOne() throws Exception {
    assertThatThrownBy(
            () ->
                run(
                    plan("seed=2"),
                    "again",
                    new TrainingListener() {
                      @Override
                      public boolean stopRequested() {
                        return true;
                      }
                    }))
        .isInstanceOf(TemporaryException.class);
    List<Long> steps = new ArrayList<>();
    run(
        plan("seed=3"),
        "again",
        new TrainingListener() {
          @Override
          public void step(StepReport report) {
            steps.add(report.step());
          }
        });
    assertThat(steps.get(0)).isEqualTo(1);
    assertThat(Arrays.asList(1L, 40L)).contains(steps.get(0), steps.get(steps.size() - 1));
  }
}
