package io.knack.spark.mine;

import io.knack.contracts.cli.StageOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./knack mine}. */
@Command(
    name = "mine",
    mixinStandardHelpOptions = true,
    description = "From interactions to clusters: problems that keep coming back.",
    footer = {"", "Example: ./knack mine --home ./knack-home --set assume_distinct_subjects=true"})
public final class MineCommand implements Callable<Integer> {
  @Mixin private StageOptions options = new StageOptions();

  @Override
  public Integer call() {
    return options.run(new MineStage());
  }
}
