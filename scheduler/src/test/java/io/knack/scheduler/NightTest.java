package io.knack.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.knack.contracts.cli.Console;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.Allowance;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.scheduler.NightRecord.StageRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NightTest {
  private static final StageGraph GRAPH =
      StageGraph.read(Path.of(System.getProperty("knack.root")).resolve("config/graph.yaml"));

  @TempDir Path home;
  private final ScriptedLauncher launcher = new ScriptedLauncher();
  private final SteppingClock clock = new SteppingClock();
  private final List<Duration> pauses = new ArrayList<>();

  @Test
  void runsTheGraphInOrderAndSaysWhatCameOfIt() throws InterruptedException {
    NightRecord record = night().run(null);
    assertThat(launcher.started)
        .containsExactly(
            "import", "mine", "curate", "train", "reflect", "remember", "evaluate", "promote");
    assertThat(record.exit()).isZero();
    assertThat(record.reason()).isEqualTo("promoted");
    assertThat(NightRecord.all(home)).containsExactly(record);
  }

  @Test
  void nothingToHandOnSkipsWhatNeedsItAndIsAGoodNight() throws InterruptedException {
    launcher.ends("curate", 99, "{\"outcome\":\"nothing\",\"reason\":\"nothing verifiable\"}");
    NightRecord record = night().run(null);
    assertThat(launcher.started).containsExactly("import", "mine", "curate");
    assertThat(record.exit()).isZero();
    assertThat(record.reason())
        .isEqualTo("nothing was worth promoting tonight: curate: nothing verifiable");
    assertThat(outcome(record, "promote")).isEqualTo("skipped");
  }

  @Test
  void rulesWithoutAnAdapterAreStillJudged() throws InterruptedException {
    launcher.ends("train", 99, "{}");
    launcher.ends("remember", 99, "{}");
    night().run(null);
    assertThat(launcher.started).contains("evaluate", "promote");
  }

  @Test
  void aFailureStopsAndTheNextAttemptGoesOnBehindWhatWasDone() throws InterruptedException {
    launcher.ends("train", 70, "");
    NightRecord failed = night().run(null);
    assertThat(failed.exit()).isEqualTo(70);
    assertThat(failed.reason()).contains("train failed: exit 70; its words are in runs");
    launcher.started.clear();
    NightRecord resumed = night().run(null);
    assertThat(resumed.run()).isEqualTo(failed.run());
    assertThat(launcher.started)
        .containsExactly("train", "reflect", "remember", "evaluate", "promote");
    assertThat(resumed.exit()).isZero();
  }

  @Test
  void aNightKilledInTheMiddleIsResumed() throws InterruptedException {
    launcher.dieIn("reflect");
    assertThatThrownBy(() -> night().run(null)).isInstanceOf(Killed.class);
    launcher.started.clear();
    night().run(null);
    assertThat(launcher.started).containsExactly("reflect", "remember", "evaluate", "promote");
    launcher.started.clear();
    launcher.everything("already_committed");
    NightRecord next = night().run(null);
    assertThat(launcher.started).hasSize(8);
    assertThat(next.reason()).isEqualTo("nothing new since the last night");
  }

  @Test
  void temporaryFailuresAreRetriedWithGrowingWaits() throws InterruptedException {
    launcher.ends("import", 75, "");
    launcher.ends("import", 75, "");
    assertThat(night("attempts=3").run(null).exit()).isZero();
    assertThat(pauses).containsExactly(Duration.ofSeconds(30), Duration.ofSeconds(60));
    for (int i = 0; i < 3; i++) {
      launcher.ends("mine", 75, "");
    }
    NightRecord gaveUp = night("attempts=3").run(new RunId("second"));
    assertThat(gaveUp.exit()).isEqualTo(75);
    assertThat(gaveUp.stages()).last().extracting(StageRecord::name).isEqualTo("mine");
  }

  @Test
  void limitsStopTheNightInOrder() throws InterruptedException {
    launcher.secondsPerStage = 40;
    NightRecord byTime = night("limits.device_minutes=1").run(new RunId("a"));
    assertThat(byTime.exit()).isEqualTo(75);
    assertThat(byTime.reason()).isEqualTo("the limit of 1.0 device minutes is reached");
    assertThat(byTime.stages()).hasSize(2);
    NightRecord byWindow = night("limits.window=100s").run(new RunId("b"));
    assertThat(byWindow.reason()).isEqualTo("the time window of 100 s is over");
    assertThat(byWindow.stages()).hasSize(3);
    assertThat(launcher.patience).last().isEqualTo(Duration.ofSeconds(20));
  }

  /** What is left goes to each stage; what stopped at a limit goes on with limits of its own. */
  @Test
  void tokensAndMoneyAreLimitedOverStagesAndAttempts() throws InterruptedException {
    launcher.tokensPerStage = 600;
    NightRecord byTokens = night("limits.tokens=1000").run(null);
    assertThat(byTokens.reason()).isEqualTo("the limit of 1000 tokens is reached");
    assertThat(byTokens.limited()).isTrue();
    assertThat(byTokens.stages()).hasSize(2);
    assertThat(launcher.allowances)
        .extracting(Allowance.Limits::tokens)
        .containsExactly(1000L, 400L);
    NightRecord tomorrow = night("limits.tokens=1000").run(null);
    assertThat(tomorrow.run()).isEqualTo(byTokens.run());
    assertThat(tomorrow.stages()).hasSize(4);
    NightRecord byMoney =
        night("limits.money=0.001", "prices.per_million_completion_tokens=1").run(new RunId("m"));
    assertThat(byMoney.reason()).isEqualTo("the limit of 0.001 (money) is reached");
    assertThat(byMoney.stages()).hasSize(2);
    assertThat(launcher.allowances.get(launcher.allowances.size() - 1).money())
        .isCloseTo(0.0004, within(1e-12));
  }

  /** A stage that runs into its allowance ends with 75: the limit is the reason, no retry. */
  @Test
  void aStageThatStopsAtItsAllowanceEndsTheNightAtTheLimit() throws InterruptedException {
    launcher.tokensPerStage = 2000;
    launcher.ends("import", 75, "");
    NightRecord record = night("limits.tokens=1000").run(null);
    assertThat(launcher.started).containsExactly("import");
    assertThat(pauses).isEmpty();
    assertThat(record.exit()).isEqualTo(75);
    assertThat(record.limited()).isTrue();
    assertThat(record.reason()).isEqualTo("the limit of 1000 tokens is reached");
  }

  @Test
  void whatAFailedAttemptSpentStillCounts() throws InterruptedException {
    launcher.secondsPerStage = 40;
    launcher.ends("mine", 70, "");
    night("limits.device_minutes=2").run(null);
    NightRecord resumed = night("limits.device_minutes=2").run(null);
    assertThat(resumed.reason()).isEqualTo("the limit of 2.0 device minutes is reached");
    assertThat(resumed.stages()).extracting(StageRecord::name).containsExactly("import", "mine");
  }

  @Test
  void stagesHearWhereRunsAreRecorded() throws InterruptedException {
    night("tracking.server=http://localhost:5000", "tracking.experiment=shop").run(null);
    assertThat(launcher.environments)
        .hasSize(8)
        .allSatisfy(
            environment ->
                assertThat(environment)
                    .containsEntry("MLFLOW_TRACKING_URI", "http://localhost:5000")
                    .containsEntry("MLFLOW_EXPERIMENT_NAME", "shop"));
  }

  @Test
  void aStopEndsTheWaitBeforeARetry() throws InterruptedException {
    launcher.ends("import", 75, "");
    List<Night> nights = new ArrayList<>();
    Night night =
        night(
            (wait, stopped) -> {
              nights.get(0).stop();
              assertThat(stopped.getCount()).isZero();
            });
    nights.add(night);
    NightRecord record = night.run(null);
    assertThat(record.exit()).isEqualTo(75);
    assertThat(record.limited()).isFalse();
    assertThat(record.reason()).isEqualTo("stopped on request");
    assertThat(launcher.started).containsExactly("import");
  }

  @Test
  void unwantedMemoriesAreLeftOut() throws InterruptedException {
    night("memories=[rules]").run(null);
    assertThat(launcher.started)
        .containsExactly("import", "mine", "curate", "reflect", "evaluate", "promote");
  }

  @Test
  void oneNightAtATime() throws InterruptedException {
    try (NightLease held = NightLease.take(home, clock, () -> {})) {
      assertThat(held).isNotNull();
      assertThatThrownBy(() -> night().run(null))
          .isInstanceOf(TemporaryException.class)
          .hasMessageContaining("another night is at work");
    }
    assertThat(night().run(null).exit()).isZero();
  }

  @Test
  void theForecastRunsNothingAndKnowsWhatNightsTook() throws InterruptedException {
    launcher.secondsPerStage = 7;
    night().run(new RunId("before"));
    launcher.started.clear();
    NightForecast forecast = night().forecast(new RunId("tonight"));
    assertThat(launcher.started).isEmpty();
    assertThat(forecast.stages()).hasSize(8);
    assertThat(forecast.stages().get(0).seconds()).isEqualTo(7);
    assertThat(forecast.stages().get(0).arguments()).contains("import", "--run", "tonight");
  }

  private Night night(String... overrides) {
    return night((wait, stopped) -> pauses.add(wait), overrides);
  }

  private Night night(Night.Pause pause, String... overrides) {
    return new Night(
        home,
        Plans.read(NightPlan.class, null, List.of(overrides)),
        GRAPH,
        launcher,
        clock,
        Console.silent(),
        pause);
  }

  private static String outcome(NightRecord record, String stage) {
    return record.stages().stream()
        .filter(found -> found.name().equals(stage))
        .findFirst()
        .orElseThrow()
        .outcome();
  }

  /** Ends stages as told, else well. */
  private final class ScriptedLauncher implements StageLauncher {
    private final List<String> started = new ArrayList<>();
    private final List<Duration> patience = new ArrayList<>();
    private final Map<String, Deque<StageExit>> endings = new HashMap<>();
    private String dieIn = "";
    private String outcome = "committed";
    private long secondsPerStage = 1;
    private long tokensPerStage;
    private final List<Allowance.Limits> allowances = new ArrayList<>();
    private final List<Map<String, String>> environments = new ArrayList<>();

    void ends(String stage, int code, String output) {
      endings.computeIfAbsent(stage, name -> new ArrayDeque<>()).add(new StageExit(code, output));
    }

    void dieIn(String stage) {
      dieIn = stage;
    }

    void everything(String sameOutcome) {
      outcome = sameOutcome;
    }

    @Override
    public StageExit launch(
        List<String> arguments, Map<String, String> environment, Duration patient, Path log) {
      String stage = arguments.get(0);
      environments.add(environment);
      spend(arguments, environment);
      started.add(stage);
      patience.add(patient);
      clock.now = clock.now.plusSeconds(secondsPerStage);
      if (stage.equals(dieIn)) {
        dieIn = "";
        throw new Killed();
      }
      Deque<StageExit> scripted = endings.get(stage);
      return scripted == null || scripted.isEmpty()
          ? new StageExit(0, "{\"outcome\":\"" + outcome + "\"}")
          : scripted.removeFirst();
    }

    /** As a stage does: what it asked of a model stands beside its record. */
    private void spend(List<String> arguments, Map<String, String> environment) {
      String run = arguments.get(arguments.indexOf("--run") + 1);
      try {
        if (environment.containsKey(Allowance.VARIABLE)) {
          allowances.add(
              Jsons.mapper()
                  .readValue(environment.get(Allowance.VARIABLE), Allowance.Limits.class));
        }
        if (tokensPerStage > 0) {
          DurableFiles.replace(
              home.resolve("runs").resolve(run).resolve(arguments.get(0) + ".spent.json"),
              Jsons.mapper().writeValueAsString(new Allowance.Spent(0, 0, tokensPerStage)));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void stop() {}
  }

  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  private static final class SteppingClock extends Clock {
    private Instant now = Instant.parse("2026-03-01T01:00:00Z");

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
