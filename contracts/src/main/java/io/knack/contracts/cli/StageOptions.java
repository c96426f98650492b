package io.knack.contracts.cli;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageRunner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of every stage; a picocli mixin. */
public final class StageOptions {
  @Mixin public HomeOptions home = new HomeOptions();

  @Option(names = "--plan", paramLabel = "FILE", description = "YAML plan; defaults without one")
  public @Nullable Path plan;

  @Option(names = "--set", paramLabel = "PATH=VALUE", description = "override one plan field")
  public List<String> overrides = new ArrayList<>();

  @Option(names = "--run", paramLabel = "ID", description = "run id; a new one without it")
  public @Nullable String run;

  @Option(
      names = "--dry-run",
      description = "check the plan and print it, with every default; run nothing")
  public boolean dryRun;

  /** Prints a plan as {@code --dry-run} does and returns the exit code. */
  public static int printed(Record plan) {
    System.out.println(Plans.canonicalJson(plan));
    return ExitCode.OK.code();
  }

  /** Runs the stage with these options and returns the exit code. */
  public <P extends Record> int run(Stage<P> stage) {
    if (dryRun) {
      return printed(Plans.read(stage.planType(), plan, overrides));
    }
    return StageRunner.run(
        stage,
        home.home,
        plan,
        overrides,
        run,
        home.json ? StageRunner.OutputFormat.JSON : StageRunner.OutputFormat.TEXT);
  }
}
