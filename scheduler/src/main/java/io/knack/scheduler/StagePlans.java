package io.knack.scheduler;

import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.RunRecord;
import io.knack.contracts.stage.TemporaryException;
import io.knack.scheduler.NightForecast.StageForecast;
import io.knack.scheduler.StageLauncher.StageExit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What is wrong with the plans of a night's stages, found before the first of them works. A stage
 * that the night's plan says something special of is asked itself, with {@code --dry-run}: the
 * scheduler knows no stage's plan.
 */
final class StagePlans {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path home;
  private final NightPlan plan;
  private final StageGraph graph;
  private final StageLauncher launcher;

  StagePlans(Path home, NightPlan plan, StageGraph graph, StageLauncher launcher) {
    this.home = home;
    this.plan = plan;
    this.graph = graph;
    this.launcher = launcher;
  }

  /**
   * Asks every stage that is still to run.
   *
   * @throws PlanException with all that is wrong
   */
  void check(NightForecast forecast) throws InterruptedException {
    List<String> problems = new ArrayList<>();
    Set<String> known =
        graph.stages().stream().map(StageGraph.Node::name).collect(Collectors.toSet());
    unknown("plans", plan.plans().keySet(), known, problems);
    unknown("set", plan.set().keySet(), known, problems);
    for (StageForecast stage : forecast.stages()) {
      if (stage.runs() && !ended(forecast.run(), stage.name())) {
        problems.addAll(StageArguments.lacking(plan, stage.name()));
        if (StageArguments.special(plan, stage.name())) {
          ask(stage, problems);
        }
      }
    }
    if (!problems.isEmpty()) {
      problems.add(
          0,
          "the night's plan has "
              + (problems.size() == 1 ? "a problem:" : problems.size() + " problems:"));
      throw new PlanException(problems);
    }
  }

  /**
   * Whether a stage of this run is behind it that no night recorded: Airflow runs stages one by one
   * and asks for the plan before each, when the logs may have been cleared away.
   */
  private boolean ended(RunId run, String stage) {
    return RunRecord.read(home, run, stage)
        .map(RunRecord::exit)
        .filter(exit -> exit == ExitCode.OK.code() || exit == ExitCode.NOTHING.code())
        .isPresent();
  }

  private static void unknown(
      String field, Set<String> named, Set<String> known, List<String> problems) {
    for (String stage : new TreeSet<>(named)) {
      if (!known.contains(stage)) {
        problems.add(
            "  "
                + field
                + "."
                + stage
                + ": the graph has no such stage, expected one of "
                + String.join(", ", new TreeSet<>(known)));
      }
    }
  }

  private void ask(StageForecast stage, List<String> problems) throws InterruptedException {
    List<String> arguments = new ArrayList<>(stage.arguments());
    arguments.add("--dry-run");
    try {
      Path words = Files.createTempFile("knack-plan", ".log");
      try {
        StageExit exit = launcher.launch(arguments, Map.of(), PATIENCE, words);
        if (exit.code() != ExitCode.OK.code()) {
          String said =
              Files.readString(words)
                  .lines()
                  .filter(line -> !line.startsWith("WARNING:"))
                  .map(line -> line.replaceFirst("^knack: ", ""))
                  .collect(Collectors.joining(System.lineSeparator() + "  "));
          problems.add(
              "  " + stage.name() + ": " + (said.isEmpty() ? "exit " + exit.code() : said));
        }
      } finally {
        Files.deleteIfExists(words);
      }
    } catch (IOException e) {
      throw new TemporaryException("cannot check the plan of " + stage.name() + ": " + e, e);
    }
  }
}
