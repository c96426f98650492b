package io.knack.llm;

import io.knack.contracts.cli.KnackCli;
import io.knack.llm.cli.GenerateCommand;
import io.knack.llm.cli.LlmBenchCommand;
import io.knack.llm.cli.MergeCommand;
import io.knack.llm.encoder.EmbedCommand;
import picocli.CommandLine.Command;

/** The verbs of the language model. */
@Command(
    name = "knack",
    description = "Runs open-weights checkpoints.",
    mixinStandardHelpOptions = true,
    subcommands = {GenerateCommand.class, MergeCommand.class, EmbedCommand.class, Main.Bench.class})
public final class Main {
  /** {@code bench llm}; its help speaks for {@code bench} of the other modules, too. */
  @Command(
      name = "bench",
      description = {
        "Speed and memory on this machine.",
        "bench llm: generation; bench train: training of adapters; bench mine: mining, with its"
            + " quality. Each has a --help of its own."
      },
      footer = {
        "",
        "Examples:",
        "  ./knack bench llm --dtype float32 --json",
        "  ./knack bench train --json",
        "  ./knack bench mine --rows 10000 --json"
      },
      mixinStandardHelpOptions = true,
      subcommands = LlmBenchCommand.class)
  static final class Bench {}

  public static void main(String[] args) {
    System.exit(KnackCli.run(new Main(), args));
  }
}
