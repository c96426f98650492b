package io.knack.sandbox;

import io.knack.contracts.cli.KnackCli;
import io.knack.sandbox.study.StudyCommand;
import picocli.CommandLine.Command;

/** Command lines of the sandbox. */
@Command(
    name = "knack",
    description =
        "The embedded world: problems with house rules, a small model, simulated serving.",
    subcommands = {SandboxCommand.class, Demo.class, StudyCommand.class})
public final class Main {
  public static void main(String... args) {
    System.exit(KnackCli.run(new Main(), args));
  }
}
