package io.knack.scheduler;

import io.knack.contracts.KnackVersion;
import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** Verbs that run the night. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    version = KnackVersion.CURRENT,
    subcommands = {NightCommand.class, ScheduleCommand.class})
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
