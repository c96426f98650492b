package io.knack.evaluator.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Interval;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** The tests agree with the public formulas, and hold what they promise. */
final class StatisticsTest {
  private static final Offset<Double> EXACT = within(1e-10);
  private final JsonNode fixture = fixture();

  @Test
  void accuracyBetsAndLevelsAreThoseOfTheFormulas() {
    double margin = fixture.get("margin").doubleValue();
    BettingTest test = BettingTest.accuracy(margin);
    GridMixture grid = new GridMixture(20, 1 - margin);
    JsonNode rows = fixture.get("differences");
    for (int i = 0; i < rows.size(); i++) {
      double y = rows.get(i).doubleValue() + margin;
      assertThat(test.nextBet()).isCloseTo(at("accuracy", "bets", i), EXACT);
      test.observe(y);
      grid.observe(y);
      assertThat(test.logE()).isCloseTo(at("accuracy", "log_e", i), EXACT);
      assertThat(grid.logE()).isCloseTo(fixture.get("accuracy_grid").get(i).doubleValue(), EXACT);
    }
  }

  @Test
  void costBetsAndLevelsAreThoseOfTheFormulas() {
    double cap = fixture.get("cap").doubleValue();
    BettingTest test = BettingTest.cost(cap);
    GridMixture grid = new GridMixture(20, cap);
    for (int i = 0; i < fixture.get("baseline").size(); i++) {
      double y =
          0.9 * fixture.get("baseline").get(i).doubleValue()
              - fixture.get("candidate").get(i).doubleValue();
      assertThat(test.nextBet()).isCloseTo(at("cost", "bets", i), EXACT);
      test.observe(y);
      grid.observe(y);
      assertThat(test.logE()).isCloseTo(at("cost", "log_e", i), EXACT);
      assertThat(grid.logE()).isCloseTo(fixture.get("cost_grid").get(i).doubleValue(), EXACT);
    }
  }

  @Test
  void nightsShareOneErrorBudgetAsByTheFormulas() {
    JsonNode values = fixture.get("e_values");
    JsonNode lond = fixture.get("lond_10");
    int promoted = 0;
    for (int night = 1; night <= values.size(); night++) {
      double level = ErrorOverNights.level(night, promoted, 0.1);
      assertThat(level).isCloseTo(lond.get("levels").get(night - 1).doubleValue(), within(1e-7));
      boolean rejected = values.get(night - 1).doubleValue() >= 1 / level;
      assertThat(rejected).isEqualTo(lond.get("rejected").get(night - 1).intValue() == 1);
      promoted += rejected ? 1 : 0;
    }
  }

  @Test
  void theWeightsOfAllNightsSumToOne() {
    double sum = 0;
    for (int night = 1_000_000; night >= 1; night--) {
      sum += ErrorOverNights.weight(night);
    }
    assertThat(sum).isBetween(0.999, 1.0);
  }

  @Test
  void aTrueNullIsSeldomRejectedHoweverOftenOneLooks() {
    SplittableRandom random = new SplittableRandom(11);
    int rejected = 0;
    int nights = 2_000;
    for (int night = 0; night < nights; night++) {
      BettingTest test = BettingTest.accuracy(0.03);
      for (int i = 0; i < 1_000; i++) {
        double u = random.nextDouble();
        test.observe((u < 0.065 ? -1 : u < 0.1 ? 1 : 0) + 0.03); // mean difference -3 points
      }
      rejected += test.peakLogE() >= Math.log(20) ? 1 : 0;
    }
    assertThat((double) rejected / nights).isLessThan(0.05);
  }

  @Test
  void intervalsHoldTheTruthAndShrink() {
    SplittableRandom random = new SplittableRandom(3);
    int missed = 0;
    double width = 0;
    for (int night = 0; night < 100; night++) {
      List<PairedRows.Row> rows = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        int base = 1 + random.nextInt(16); // mean 8.5
        int candidate = 1 + random.nextInt(8); // mean 4.5
        rows.add(new PairedRows.Row(base, candidate, random.nextInt(20) == 0 ? 1 : 0));
      }
      PairedRows paired = new PairedRows(rows, 16, 16);
      Interval saving = ConfidenceBounds.saving(paired, 0.05);
      Interval change = ConfidenceBounds.accuracyChange(paired.differences(), 0.05);
      double truth = 1 - 4.5 / 8.5;
      missed += saving.low() > truth || saving.high() < truth ? 1 : 0;
      missed += change.low() > 0.05 || change.high() < 0.05 ? 1 : 0;
      width += saving.high() - saving.low();
      assertThat(ConfidenceBounds.provedSaving(paired, 0.05)).isGreaterThanOrEqualTo(saving.low());
    }
    assertThat(missed).isLessThanOrEqualTo(10);
    assertThat(width / 100).isLessThan(0.35);
  }

  @Test
  void fixedIntervalsAreTheTextbooks() {
    Interval mean = ConfidenceBounds.fixedMean(new double[] {1, 2, 3, 4}, 1.96);
    assertThat(mean.estimate()).isEqualTo(2.5);
    assertThat(mean.high() - 2.5).isCloseTo(1.96 * Math.sqrt(5.0 / 3 / 4), EXACT);
    Interval saving =
        ConfidenceBounds.fixedSaving(new double[] {10, 10}, new double[] {5, 5}, 1.96);
    assertThat(saving).isEqualTo(new Interval(0.5, 0.5, 0.5));
  }

  @Test
  void aRowBelowTheBoundIsRefused() {
    BettingTest test = BettingTest.cost(1);
    test.observe(1);
    test.observe(1);
    assertThatThrownBy(() -> test.observe(-100))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("below what this test was made for");
  }

  private double at(String test, String what, int i) {
    return fixture.get(test).get(what).get(i).doubleValue();
  }

  private static JsonNode fixture() {
    try (InputStream in = StatisticsTest.class.getResourceAsStream("/statistics/levels.json")) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
