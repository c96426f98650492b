package io.knack.spark;

import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.KnackCli;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.stage.StageRunner.OutputFormat;
import io.knack.spark.curate.CurateStage;
import io.knack.spark.frame.Sessions;
import io.knack.spark.imports.ImportStage;
import io.knack.spark.mine.MineStage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A night for {@code spark-submit}: import, mine and curate in one Spark application on any master,
 * then the other stages as processes of the driver's machine, through the launcher.
 *
 * <p>The workspace must be a directory that the driver and every executor see.
 */
@Command(
    name = "consolidation",
    mixinStandardHelpOptions = true,
    description = "import, mine and curate on any Spark master, then the remaining stages.",
    footer = {
      "",
      "Example: spark-submit --class io.knack.spark.ConsolidationJob knack-spark-jobs-job.jar --home /shared/knack --input /shared/logs --then train,reflect,remember,evaluate,promote"
    })
public final class ConsolidationJob implements Callable<Integer> {
  @Option(names = "--home", required = true, paramLabel = "DIR", description = "workspace")
  private Path home = Path.of("knack-home");

  @Option(
      names = "--input",
      arity = "1..*",
      paramLabel = "PATH",
      description = "logs; without any, what was imported before stands")
  private List<String> inputs = new ArrayList<>();

  @Option(names = "--run", paramLabel = "ID", description = "run id, for all stages")
  private @Nullable String run;

  @Option(
      names = "--set",
      paramLabel = "STAGE.PATH=VALUE",
      description = "override one plan field of a stage, as mine.assume_distinct_subjects=true")
  private List<String> overrides = new ArrayList<>();

  @Option(names = "--plan", paramLabel = "STAGE=FILE", description = "plan of a stage")
  private Map<String, Path> plans = new LinkedHashMap<>();

  @Option(
      names = "--stages",
      split = ",",
      defaultValue = "import,mine,curate",
      description = "which Spark stages run (default: ${DEFAULT-VALUE})")
  private List<String> stages = List.of();

  @Option(names = "--then", split = ",", description = "stages run afterwards through the launcher")
  private List<String> then = new ArrayList<>();

  @Option(
      names = "--launcher",
      paramLabel = "FILE",
      defaultValue = "${env:KNACK_LAUNCHER:-./knack}",
      description = "the launcher on the driver's machine (default: ${DEFAULT-VALUE})")
  private Path launcher = Path.of("knack");

  public static void main(String[] args) {
    int code = KnackCli.run(new ConsolidationJob(), args);
    if (code != 0) {
      System.exit(code);
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    HomeOptions.problem(home)
        .ifPresent(
            problem -> {
              throw new PlanException(problem);
            });
    try (Sessions sessions = new Sessions("consolidation")) {
      for (String stage : stages) {
        int code =
            switch (stage) {
              case "import" ->
                  StageRunner.run(
                      new ImportStage(sessions),
                      home,
                      plans.get(stage),
                      imported(),
                      run,
                      OutputFormat.JSON);
              case "mine" ->
                  StageRunner.run(
                      new MineStage(sessions.get()),
                      home,
                      plans.get(stage),
                      settings(stage),
                      run,
                      OutputFormat.JSON);
              case "curate" ->
                  StageRunner.run(
                      new CurateStage(sessions),
                      home,
                      plans.get(stage),
                      settings(stage),
                      run,
                      OutputFormat.JSON);
              default ->
                  throw new PlanException(
                      "--stages knows import, mine and curate, found '"
                          + stage
                          + "'; others go to --then");
            };
        if (code != ExitCode.OK.code()) {
          return code;
        }
      }
    }
    return afterwards();
  }

  private List<String> imported() throws IOException {
    List<String> settings = settings("import");
    if (!inputs.isEmpty()) {
      settings.add(
          "input=" + new com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(inputs));
    }
    return settings;
  }

  private List<String> settings(String stage) {
    List<String> settings = new ArrayList<>();
    for (String override : overrides) {
      if (override.startsWith(stage + ".")) {
        settings.add(override.substring(stage.length() + 1));
      }
    }
    return settings;
  }

  /** One process per stage; one that has nothing to hand on does not stop the others. */
  private int afterwards() throws IOException, InterruptedException {
    for (String stage : then) {
      List<String> command =
          new ArrayList<>(List.of(launcher.toString(), stage, "--home", home.toString()));
      if (run != null) {
        command.addAll(List.of("--run", run));
      }
      if (plans.containsKey(stage)) {
        command.addAll(List.of("--plan", plans.get(stage).toString()));
      }
      settings(stage).forEach(setting -> command.addAll(List.of("--set", setting)));
      int code = new ProcessBuilder(command).inheritIO().start().waitFor();
      if (code != ExitCode.OK.code() && code != ExitCode.NOTHING.code()) {
        return code;
      }
    }
    return ExitCode.OK.code();
  }
}
