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
  void theShippedPlanParses() {
    TrainPlan plan =
        Plans.read(
            TrainPlan.class,
            Path.of(System.getProperty("knack.root"), "config", "train.yaml"),
            List.of());
    assertThat(plan.minExamples()).isEqualTo(8);
    assertThat(plan.learningRate()).isEqualTo(2e-4);
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
