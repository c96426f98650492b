package io.knack.contracts.cli;

import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.KnackException;
import java.io.PrintWriter;
import picocli.CommandLine;

/** Runs a module's root command: user's mistakes become one message and an exit code. */
public final class KnackCli {
  private KnackCli() {}

  public static int run(Object root, String... args) {
    CommandLine line = new CommandLine(root);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(
        (problem, arguments) -> {
          PrintWriter err = problem.getCommandLine().getErr();
          err.println("knack: " + problem.getMessage());
          err.println(
              "knack: see './knack " + problem.getCommandLine().getCommandName() + " --help'");
          return ExitCode.USAGE.code();
        });
    line.setExecutionExceptionHandler(
        (problem, command, result) -> {
          if (problem instanceof KnackException known) {
            command.getErr().println("knack: " + known.getMessage());
            return known.exitCode().code();
          }
          command
              .getErr()
              .println("knack: this is a bug in Knack; please report it with the lines below");
          problem.printStackTrace(command.getErr());
          return ExitCode.BUG.code();
        });
    return line.execute(args);
  }
}
