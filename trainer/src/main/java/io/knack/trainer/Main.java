package io.knack.trainer;

import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** The trainer's verbs. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    description = "Training.",
    subcommands = {TrainCommand.class})
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
