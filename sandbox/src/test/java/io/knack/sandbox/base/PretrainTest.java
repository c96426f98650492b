package io.knack.sandbox.base;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.plan.Plans;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.trainer.FullPlan;
import io.knack.trainer.StepReport;
import io.knack.trainer.TrainingListener;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The recipe in small: it learns, and the same again gives the same weights. */
class PretrainTest {
  @TempDir Path directory;

  private List<Double> train(String name) throws Exception {
    BaseModel base = new BaseModel(1);
    ModelConfig small = base.shape(32, 2, 2, 64);
    FullPlan plan =
        Plans.read(
            FullPlan.class,
            Path.of(System.getProperty("knack.root"), "config", "pretrain.yaml"),
            List.of("steps=60", "warmup_steps=10", "batch_size=8", "checkpoint_every=0"));
    List<Double> losses = new ArrayList<>();
    base.train(
        plan,
        small,
        directory.resolve(name + "-work"),
        directory.resolve(name),
        new TrainingListener() {
          @Override
          public void step(StepReport report) {
            losses.add(report.loss());
          }
        });
    return losses;
  }

  @Test
  void learnsAndIsReproducible() throws Exception {
    List<Double> losses = train("once");
    assertThat(losses.get(losses.size() - 1)).isLessThan(losses.get(0) * 0.7);
    assertThat(train("twice")).isEqualTo(losses);
    assertThat(Files.readAllBytes(directory.resolve("once/model.safetensors")))
        .isEqualTo(Files.readAllBytes(directory.resolve("twice/model.safetensors")));
    assertThat(directory.resolve("once/tokenizer.json")).exists();
  }
}
