package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.knack.contracts.SparseVector;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StatisticsTest {
  @Test
  void partsAddUpToTheWholeToTheBit() {
    Statistics whole = new Statistics();
    Statistics left = new Statistics();
    Statistics right = new Statistics();
    for (int i = 0; i < 3000; i++) {
      whole.add(row(i), i % 100 / 100.0);
      (i % 3 == 0 ? left : right).add(row(i), i % 100 / 100.0);
    }
    assertThat(state(right.merge(left))).isEqualTo(state(whole));
    assertThat((double) whole.distinctSubjects()).isCloseTo(2000, within(200.0));
    assertThat(ClusterState.TABLE.name()).isEqualTo("states");
    assertThat(state(state(whole).statistics())).isEqualTo(state(whole));
  }

  @Test
  void fewSubjectsAreCountedExactly() {
    Statistics statistics = new Statistics();
    for (int i = 0; i < 400; i++) {
      statistics.add(row(i % 7), 0.5);
    }
    assertThat(statistics.distinctSubjects()).isEqualTo(7);
    assertThat(statistics.floor()).isCloseTo(0.5, within(1e-3));
  }

  private static ClusterState state(Statistics statistics) {
    return ClusterState.of("c-1", "f-1", "-", SparseVector.EMPTY, List.of(), List.of(), statistics);
  }

  private static SeenRow row(int i) {
    LocalDate day = LocalDate.of(2026, 1, 1).plusDays(i % 9);
    return new SeenRow("i" + i, "-", "-", "u" + i % 2000, day, "k", "text", 2, 1, i % 2, 30);
  }
}
