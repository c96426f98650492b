package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.train.Compute;
import io.knack.llm.train.LoraLayout;
import io.knack.llm.train.SmallDecoders;
import io.knack.llm.train.TokenSequence;
import java.util.List;
import org.junit.jupiter.api.Test;

class MicroRowsTest {
  private static final ModelConfig SHAPE =
      SmallDecoders.llama(
          32_000, 4096, 32, 32, 8, 14_336, ModelConfig.Embeddings.SEPARATE, 8192, List.of(2));

  private static MicroRows choose(long gigabytes, String... overrides) {
    TrainPlan plan = Plans.read(TrainPlan.class, null, List.of(overrides));
    List<AdapterTask> tasks =
        List.of(
            new AdapterTask(
                "a", List.of(new TokenSequence(new int[100], new float[100], 0)), List.of(), null));
    Compute compute = new Compute("cpu", DType.BF16, DType.BF16, 2);
    LoraLayout layout = LoraLayout.of(SHAPE, plan.adapterConfig("base"));
    return MicroRows.choose(plan, SHAPE, compute, layout, tasks, gigabytes << 30);
  }

  @Test
  void automaticIsTheFastestThatFits() {
    MicroRows roomy = choose(200);
    MicroRows tight = choose(24);
    assertThat(tight.rows()).isLessThan(roomy.rows()).isGreaterThanOrEqualTo(64);
    assertThat(tight.memory().total()).isLessThan(24L << 30);
    // Eight billion weights of two bytes each.
    assertThat(roomy.memory().base()).isBetween(13L << 30, 16L << 30);
    assertThat(choose(200, "micro_tokens=77").rows()).isEqualTo(77);
    assertThat(choose(200, "packing=false").rows()).isEqualTo(1);
  }

  @Test
  void whatDoesNotFitIsRefusedWithAWayOut() {
    assertThatThrownBy(() -> choose(8))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("of 8192 MB free")
        .hasMessageContaining("Take a smaller base");
    assertThatThrownBy(() -> choose(60, "micro_tokens=200000"))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("Set micro_tokens to auto. Set activation_checkpointing to true.");
  }
}
