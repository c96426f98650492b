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
  /** {@code bench llm}. */
  @Command(
      name = "bench",
      description = "Measures speed.",
      mixinStandardHelpOptions = true,
      subcommands = LlmBenchCommand.class)
  static final class Bench {}

  public static void main(String[] args) {
    System.exit(KnackCli.run(new Main(), args));
  }
}
