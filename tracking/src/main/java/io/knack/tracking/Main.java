package io.knack.tracking;

import io.knack.contracts.KnackVersion;
import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** The verb that sends what was recorded. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    version = KnackVersion.CURRENT,
    subcommands = TrackCommand.class)
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
