package io.knack.evaluator;

import io.knack.contracts.cli.KnackCli;
import io.knack.contracts.stage.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Judges what was learnt, and promotes what has earned it. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    subcommands = {
      EvaluateCommand.class,
      PromoteCommand.class,
      RollbackCommand.class,
      StatusCommand.class,
      HistoryCommand.class
    },
    description = "Measures what memory saves, and promotes what has earned it.")
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  public static void main(String[] args) {
    System.exit(KnackCli.run(new Main(), args));
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(System.err);
    return ExitCode.USAGE.code();
  }
}
