package io.knack.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.plan.Plans;
import io.knack.spark.curate.CuratePlan;
import io.knack.spark.imports.ImportPlan;
import io.knack.spark.mine.MinePlan;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The plans below {@code config/} show every field with its default. */
final class ShippedPlansTest {
  @Test
  void everyFieldIsThereWithItsDefault() {
    check(ImportPlan.class, "import.yaml");
    check(MinePlan.class, "mine.yaml");
    check(CuratePlan.class, "curate.yaml");
  }

  @Test
  void eachProblemHasItsLine() {
    assertThatThrownBy(
            () ->
                Plans.read(
                    ImportPlan.class,
                    null,
                    List.of("encoding=foo", "max_line_bytes=-1", "undated_from=xx")))
        .hasMessageContainingAll("3 problems", "\n  max_line_bytes", "\n  encoding", "\n  undated");
    assertThatThrownBy(
            () ->
                Plans.read(
                    CuratePlan.class,
                    null,
                    List.of("endpoint=http://u:s3cret@h/v1", "retry_window=-PT1S", "seed=x")))
        .hasMessageContainingAll("3 problems", "endpoint: must not hold", "retry_window must not")
        .hasMessageNotContaining("s3cret");
  }

  private static <P extends Record> void check(Class<P> type, String name) {
    Path file = Path.of(System.getProperty("knack.root"), "config", name);
    assertThat(Plans.read(type, file, List.of())).isEqualTo(Plans.read(type, null, List.of()));
    assertThat(Plans.leftOut(type, file)).as(name).isEmpty();
  }
}
