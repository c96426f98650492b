package io.knack.consolidation;

import io.knack.contracts.KnackVersion;
import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** The verbs that turn evidence into rules and episodes. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    version = KnackVersion.CURRENT,
    subcommands = {ReflectCommand.class, RememberCommand.class})
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
