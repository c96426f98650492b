package io.knack.trainer;

import io.knack.contracts.cli.KnackCli;
import picocli.CommandLine.Command;

/** The trainer's verbs. */
@Command(
    name = "knack",
    mixinStandardHelpOptions = true,
    description = "Training.",
    subcommands = {TrainCommand.class, DeviceDoctorCommand.class, Main.Bench.class})
public final class Main {
  Main() {}

  /** {@code bench train}. */
  @Command(
      name = "bench",
      description = "Measures speed.",
      mixinStandardHelpOptions = true,
      subcommands = TrainBenchCommand.class)
  static final class Bench {}

  public static void main(String[] arguments) {
    System.exit(KnackCli.run(new Main(), arguments));
  }
}
