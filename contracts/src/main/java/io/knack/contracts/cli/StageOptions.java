package io.knack.contracts.cli;

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

  /** Runs the stage with these options and returns the exit code. */
  public <P extends Record> int run(Stage<P> stage) {
    return StageRunner.run(
        stage,
        home.home,
        plan,
        overrides,
        run,
        home.json ? StageRunner.OutputFormat.JSON : StageRunner.OutputFormat.TEXT);
  }
}
