package io.knack.spark;

import io.knack.contracts.cli.KnackCli;
import io.knack.spark.curate.CurateCommand;
import io.knack.spark.imports.ImportCommand;
import io.knack.spark.mine.BenchMineCommand;
import io.knack.spark.mine.MineCommand;
import picocli.CommandLine.Command;

/** The verbs of this module. */
@Command(
    name = "knack",
    description = "From logs to problems that keep coming back.",
    subcommands = {ImportCommand.class, MineCommand.class, CurateCommand.class, Main.Bench.class})
public final class Main {
  private Main() {}

  /** {@code ./knack bench}, of this module. */
  @Command(
      name = "bench",
      description = "Speed and quality.",
      subcommands = {BenchMineCommand.class})
  static final class Bench {}

  public static void main(String[] args) {
    System.exit(KnackCli.run(new Main(), args));
  }
}
