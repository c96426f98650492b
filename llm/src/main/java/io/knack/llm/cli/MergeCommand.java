package io.knack.llm.cli;

import io.knack.llm.lora.Merge;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code knack merge}. */
@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    description = "A plain checkpoint with the adapter folded in.",
    footer = {"", "Example:", "  ./knack merge --model base --adapter adapters/a --out merged"})
public final class MergeCommand implements Callable<Integer> {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "Checkpoint directory.")
  private Path model = Path.of("");

  @Option(
      names = "--adapter",
      required = true,
      paramLabel = "DIR",
      description = "PEFT adapter directory.")
  private Path adapter = Path.of("");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Directory to create.")
  private Path out = Path.of("");

  @Override
  public Integer call() throws IOException {
    Merge.run(model, adapter, out);
    return 0;
  }
}
