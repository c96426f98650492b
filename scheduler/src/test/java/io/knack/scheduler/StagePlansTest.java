package io.knack.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.cli.Console;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.RunRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StagePlansTest {
  private static final StageGraph GRAPH =
      StageGraph.read(Path.of(System.getProperty("knack.root")).resolve("config/graph.yaml"));

  @TempDir Path home;

  private final Stages stages = new Stages();

  @Test
  void aPlanThatSaysNothingSpecialAsksNobody() {
    assertThatCode(() -> check("model.directory=/m", "logs.input=" + home))
        .doesNotThrowAnyException();
    assertThat(stages.asked).isEmpty();
    assertThat(home).isEmptyDirectory();
  }

  @Test
  void stagesAreAskedForTheirOwnPlans() {
    stages.words = "WARNING: incubating\nknack: the plan has a problem:\n  seedd: unknown key\n";
    assertThatThrownBy(
            () ->
                check(
                    "model.endpoint=http://h:1/v1",
                    "set.mine.seedd=3",
                    "plans.train=/nonexistent",
                    "logs.format=csv",
                    "logs.input=" + home))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "the night's plan has 3 problems:",
            "  import: the plan has a problem:\n    seedd: unknown key",
            "  mine: the plan",
            "  train: the plan")
        .hasMessageNotContaining("WARNING");
    assertThat(stages.asked)
        .hasSize(3)
        .allSatisfy(arguments -> assertThat(arguments).endsWith("--dry-run"))
        .anySatisfy(arguments -> assertThat(arguments).startsWith("mine").contains("seedd=3"))
        .anySatisfy(arguments -> assertThat(arguments).contains("--plan", "/nonexistent"));
  }

  @Test
  void whatIsMissingIsToldBeforeAnythingRuns() {
    assertThatThrownBy(() -> check("logs.input=/nonexistent", "set.mien.seed=3", "plans.trian=x"))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "4 problems",
            "set.mien: the graph has no such stage, expected one of curate, evaluate, import",
            "plans.trian: the graph has no such stage",
            "logs.input: /nonexistent is no file or directory that can be read here",
            "model: names neither a directory nor an endpoint");
    assertThatCode(() -> check("set.evaluate.model=/m")).doesNotThrowAnyException();
  }

  @Test
  void aStageThatEndedWellInThisRunIsNotAskedAgain() throws InterruptedException {
    String[] overrides = {
      "set.evaluate.model=/m", "logs.input=/nonexistent", "set.import.format=csv"
    };
    stages.words = "";
    assertThatThrownBy(() -> check(overrides)).hasMessageContaining("logs.input: /nonexistent");
    stages.asked.clear();
    Instant now = Instant.EPOCH;
    RunId run = new RunId("r");
    for (int exit : new int[] {75, 0}) {
      new RunRecord(run, "import", "{}", List.of(), now, now, exit, null, null, new TreeMap<>())
          .write(home);
      if (exit == 75) {
        assertThatThrownBy(() -> check(overrides)).hasMessageContaining("logs.input");
        stages.asked.clear();
      }
    }
    check(overrides);
    assertThat(stages.asked)
        .singleElement()
        .satisfies(asked -> assertThat(asked).startsWith("evaluate"));
  }

  private void check(String... overrides) throws InterruptedException {
    NightPlan plan = Plans.read(NightPlan.class, null, List.of(overrides));
    Night night =
        new Night(home, plan, GRAPH, stages, Clock.systemUTC(), Console.silent(), Night.Pause.REAL);
    new StagePlans(home, plan, GRAPH, stages).check(night.forecast(new RunId("r")));
  }

  /** Says the same words of every plan; content without words. */
  private static final class Stages implements StageLauncher {
    private final List<List<String>> asked = new ArrayList<>();
    private String words = "";

    @Override
    public StageExit launch(
        List<String> arguments, Map<String, String> environment, Duration patience, Path log) {
      asked.add(arguments);
      try {
        Files.writeString(log, words);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return new StageExit(words.isEmpty() ? 0 : 2, "");
    }

    @Override
    public void stop() {}
  }
}
