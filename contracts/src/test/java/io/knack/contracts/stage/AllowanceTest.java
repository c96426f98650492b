package io.knack.contracts.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.PriceBook;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.Allowance.Limits;
import io.knack.contracts.stage.Allowance.Spent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AllowanceTest {
  private static final RunId RUN = new RunId("r");

  @TempDir Path home;

  @Test
  void whatIsSpentStandsBesideTheRecordOverAttempts() {
    try (Allowance first = new Allowance(home, RUN, "evaluate", Limits.NONE)) {
      first.spend(100, 40, 10);
      first.spend(1, 0, 2);
      assertThat(first.figures())
          .containsEntry("spent_tokens", 113L)
          .containsEntry("spent_cached_prompt_tokens", 40L);
    }
    try (Allowance second = new Allowance(home, RUN, "evaluate", Limits.NONE)) {
      assertThat(second.figures()).isEmpty();
      second.spend(0, 0, 7);
      assertThat(second.figures()).containsEntry("spent_tokens", 7L);
    }
    assertThat(Allowance.spent(home, RUN, "evaluate")).isEqualTo(new Spent(101, 40, 19));
    assertThat(Allowance.spent(home, RUN, "reflect")).isEqualTo(Spent.NOTHING);
  }

  @Test
  void aStageThatAsksNoModelWritesNothing() {
    new Allowance(home, RUN, "mine", Limits.NONE).close();
    assertThat(home.resolve("runs")).doesNotExist();
  }

  @Test
  void theLimitEndsTheStageAndCountsThisAttemptOnly() {
    try (Allowance earlier = new Allowance(home, RUN, "reflect", Limits.NONE)) {
      earlier.spend(0, 0, 1_000);
    }
    try (Allowance allowance =
        new Allowance(home, RUN, "reflect", new Limits(50L, null, PriceBook.DEFAULT))) {
      allowance.spend(20, 0, 29);
      assertThatThrownBy(() -> allowance.spend(0, 0, 1))
          .isInstanceOf(TemporaryException.class)
          .hasMessage("reflect stops: the night's limit of tokens is reached, it had 50 left");
    }
    assertThat(Allowance.spent(home, RUN, "reflect").tokens()).isEqualTo(1_050);
  }

  @Test
  void moneyIsTokensByThePriceBook() {
    PriceBook prices = new PriceBook(1, 0.1, 10, 0, 0, 0);
    assertThat(new Spent(1_000_000, 500_000, 100_000).money(prices)).isEqualTo(0.5 + 0.05 + 1);
    try (Allowance allowance = new Allowance(home, RUN, "reflect", new Limits(null, 0.5, prices))) {
      allowance.spend(0, 0, 49_999);
      assertThatThrownBy(() -> allowance.spend(0, 0, 1))
          .hasMessage("reflect stops: the night's limit of money is reached, it had 0.5000 left");
    }
  }

  @Test
  void whatCouldNotBeWrittenIsWrittenLater() throws IOException {
    Path inTheWay = Files.writeString(home.resolve("runs"), "no directory");
    Allowance allowance = new Allowance(home, RUN, "reflect", Limits.NONE);
    allowance.spend(1, 0, 2);
    assertThatThrownBy(allowance::close)
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("cannot write");
    Files.delete(inTheWay);
    allowance.close();
    assertThat(Allowance.spent(home, RUN, "reflect")).isEqualTo(new Spent(1, 0, 2));
  }
}
