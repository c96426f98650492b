package io.knack.consolidation;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.consolidation.episodes.RememberPlan;
import io.knack.consolidation.reflect.ReflectPlan;
import io.knack.contracts.plan.Plans;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The plans below {@code config/} show every field with its default. */
final class ShippedPlansTest {
  @Test
  void everyFieldIsThereWithItsDefault() {
    check(ReflectPlan.class, "reflect.yaml");
    check(RememberPlan.class, "remember.yaml");
  }

  private static <P extends Record> void check(Class<P> type, String name) {
    Path file = Path.of(System.getProperty("knack.root"), "config", name);
    assertThat(Plans.read(type, file, List.of())).isEqualTo(Plans.read(type, null, List.of()));
    assertThat(Plans.leftOut(type, file)).as(name).isEmpty();
  }
}
