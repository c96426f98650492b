package io.knack.practice;

import io.knack.contracts.KnackVersion;
import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** The verb that shows what serving would do. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    version = KnackVersion.CURRENT,
    subcommands = RouteCommand.class)
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
