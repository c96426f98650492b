package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TrainPlanTest {
  @Test
  void theShippedPlanShowsEveryDefault() {
    Path file = Path.of(System.getProperty("knack.root"), "config", "train.yaml");
    assertThat(Plans.read(TrainPlan.class, file, List.of()))
        .isEqualTo(Plans.read(TrainPlan.class, null, List.of()));
    assertThat(Plans.leftOut(TrainPlan.class, file)).isEmpty();
  }

  @Test
  void theRecipeOfTheSandboxLeavesNothingToDefaults() {
    Path file = Path.of(System.getProperty("knack.root"), "config", "pretrain.yaml");
    assertThat(Plans.read(FullPlan.class, file, List.of()).steps()).isEqualTo(2200);
    assertThat(Plans.leftOut(FullPlan.class, file)).isEmpty();
  }

  @Test
  void defaults() {
    TrainPlan plan = Plans.read(TrainPlan.class, null, List.of());
    assertThat(plan.rank()).isEqualTo(16);
    assertThat(plan.targets()).containsExactly("all-linear");
    assertThat(plan.steps()).isNull();
    assertThat(plan.maxGradNorm()).isEqualTo(1.0);
  }

  @Test
  void eachProblemHasItsLine() {
    assertThatThrownBy(
            () ->
                Plans.read(
                    TrainPlan.class,
                    null,
                    List.of("dtype=int8", "steps=0", "schedule=foo", "device=foo", "targets=[]")))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "has 5 problems",
            "\n  schedule: is",
            "\n  dtype: expected",
            "\n  steps: must",
            "\n  device: expected",
            "\n  targets: expected");
  }

  @Test
  void aWrongPlanNamesEveryProblem() {
    assertThatThrownBy(
            () -> Plans.read(TrainPlan.class, null, List.of("rank=0", "beta1=2", "learning_rte=1")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("rank")
        .hasMessageContaining("beta1")
        .hasMessageContaining("learning_rate");
    assertThatThrownBy(() -> Plans.read(TrainPlan.class, null, List.of("dtype=int8")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("expected float32 or bfloat16, found 'int8'");
  }
}
