package io.knack.contracts.cli;

import io.knack.contracts.KnackVersion;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.ProcessEnd;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Runs a module's root command: user's mistakes become one message and an exit code. */
public final class KnackCli {
  private KnackCli() {}

  /**
   * Parses, runs, and returns the process's exit code. Output that was lost is no success. Numbers
   * are written with ASCII digits and a point wherever it runs: names of files hold some, and other
   * programs read the output.
   */
  public static int run(Object root, String... args) {
    Locale.setDefault(Locale.ROOT);
    ProcessEnd.verbBegins();
    int code = execute(root, args);
    ProcessEnd.verbEnds(code);
    return code;
  }

  private static int execute(Object root, String... args) {
    CommandLine line = commandLine(new CommandLine(root));
    int code = line.execute(args);
    String lost = System.out.checkError() ? whyLost() : "";
    if (lost.isEmpty()) {
      return code;
    }
    line.getErr().println("knack: the output could not be written: " + lost);
    line.getErr().flush();
    return code == 0 ? ExitCode.TEMPORARY.code() : code;
  }

  /** What the system says to one more line; nothing when the reader has simply gone. */
  private static String whyLost() {
    try {
      // Not closed: it is the process's standard output.
      new FileOutputStream(FileDescriptor.out).write('\n');
      return "parts of it are missing";
    } catch (IOException e) {
      String words = words(e);
      return words.contains("Broken pipe") ? "" : words;
    }
  }

  /** Sets the error handling of every Knack command line. */
  public static CommandLine commandLine(CommandLine line) {
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionStrategy(KnackCli::execute);
    sayVersion(line);
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
          PrintWriter err = command.getErr();
          ExitCode code = ExitCode.of(problem);
          if (problem instanceof KnackException) {
            err.println("knack: " + problem.getMessage());
          } else if (code == ExitCode.BUG) {
            err.println("knack: this is a bug in Knack; please report it with the lines below");
            problem.printStackTrace(err);
          } else {
            // What was wrong stands in the causes.
            err.println("knack: " + words(problem) + "; try again when that is mended");
          }
          return code.code();
        });
    return line;
  }

  /** Runs the verb, but not in a workspace that it could only take for an empty one. */
  private static int execute(CommandLine.ParseResult parsed) {
    List<CommandLine> given = parsed.asCommandLineList();
    CommandLine verb = given.get(given.size() - 1);
    if (given.stream().noneMatch(CommandLine::isUsageHelpRequested)) {
      home(verb.getCommandSpec())
          .flatMap(options -> HomeOptions.problem(options.home))
          .ifPresent(
              problem -> {
                throw new CommandLine.ParameterException(verb, problem);
              });
    }
    return new CommandLine.RunLast().execute(parsed);
  }

  private static Optional<HomeOptions> home(CommandSpec spec) {
    if (spec.userObject() instanceof HomeOptions options) {
      return Optional.of(options);
    }
    return spec.mixins().values().stream().flatMap(mixin -> home(mixin).stream()).findFirst();
  }

  /** Every verb that offers {@code --version} has the one of all. */
  private static void sayVersion(CommandLine line) {
    line.getCommandSpec().version(KnackVersion.CURRENT);
    line.getSubcommands().values().forEach(KnackCli::sayVersion);
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
