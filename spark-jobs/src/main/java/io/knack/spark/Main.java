package io.knack.spark;

import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** The verbs of this module. */
@Command(
    name = "knack",
    description = "From logs to problems that keep coming back.",
    subcommands = {io.knack.spark.imports.ImportCommand.class})
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(KnackCli.run(new Main(), args));
  }
}
