package io.knack.contracts;

import io.knack.contracts.cli.KnackCli;
import io.knack.contracts.erasure.ForgetCommand;
import io.knack.contracts.show.DoctorCommand;
import io.knack.contracts.show.ExplainCommand;
import io.knack.contracts.show.ShowCommand;
import picocli.CommandLine.Command;

/** Verbs that read the workspace and need no engine. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    version = KnackVersion.CURRENT,
    subcommands = {
      ShowCommand.class,
      ExplainCommand.class,
      DoctorCommand.class,
      ForgetCommand.class
    })
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
