package io.knack.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.knack.contracts.Budget;
import io.knack.contracts.Interval;
import io.knack.contracts.PriceBook;
import io.knack.sandbox.serve.TrafficLog.Measured;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PairedSavingTest {
  private static Measured measured(int i, boolean passed, long tokens) {
    Budget budget = new Budget(100, 0, tokens, 1, 0, 0, 0, 0, 0);
    return new Measured(
        "r" + i,
        4,
        "north",
        "f01",
        "S3",
        "p",
        "shipping",
        "order",
        true,
        false,
        "adapter",
        true,
        passed,
        budget);
  }

  @Test
  void savingIsOfSumsAndItsIntervalHoldsIt() {
    List<Measured> before = new ArrayList<>();
    List<Measured> after = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      before.add(measured(i, i % 10 != 0, i % 2 == 0 ? 300 : 100));
      after.add(measured(i, i % 10 != 0 || i % 20 == 0, 50));
    }
    after.add(measured(9_999, true, 1));
    PairedSaving saving = PairedSaving.of(before, after, PriceBook.DEFAULT);
    assertThat(saving.size()).isEqualTo(400);
    // Costs: 100 prompt tokens are worth 25 completion tokens; (25 + 50) / (25 + 200).
    Interval interval = saving.saving();
    assertThat(interval.estimate()).isCloseTo(1 - 75.0 / 225, within(1e-9));
    assertThat(interval.low()).isBetween(0.62, interval.estimate());
    assertThat(interval.high()).isBetween(interval.estimate(), 0.71);
    assertThat(saving.accuracyDifference().estimate()).isCloseTo(0.05, within(1e-9));
    assertThat(saving.accuracyDifference().low()).isGreaterThan(0.02);
  }

  @Test
  void nothingServedTwiceIsNoSaving() {
    PairedSaving none = PairedSaving.of(List.of(), List.of(), PriceBook.DEFAULT);
    assertThat(none.saving()).isEqualTo(new Interval(0, 0, 0));
  }
}
