package io.knack.contracts.cli;

import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.KnackException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine;

/** Runs a module's root command: user's mistakes become one message and an exit code. */
public final class KnackCli {
  private KnackCli() {}

  /** Parses, runs, and returns the process's exit code. */
  public static int run(Object root, String... args) {
    return commandLine(new CommandLine(root)).execute(args);
  }

  /** Sets the error handling of every Knack command line. */
  public static CommandLine commandLine(CommandLine line) {
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
          if (problem instanceof IOException || problem instanceof UncheckedIOException) {
            // Disks and networks fail without anybody's mistake; what was wrong stands in the
            // causes.
            command
                .getErr()
                .println("knack: " + words(problem) + "; try again when that is mended");
            return ExitCode.TEMPORARY.code();
          }
          command
              .getErr()
              .println("knack: this is a bug in Knack; please report it with the lines below");
          problem.printStackTrace(command.getErr());
          return ExitCode.BUG.code();
        });
    return line;
  }

  private static String words(Throwable problem) {
    StringBuilder words = new StringBuilder(String.valueOf(problem.getMessage()));
    for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null && words.indexOf(cause.getMessage()) < 0) {
        words.append(": ").append(cause.getMessage());
      }
    }
    return words.toString();
  }
}
