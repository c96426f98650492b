package io.knack.spark.curate;

import io.knack.contracts.cli.StageOptions;
import io.knack.spark.frame.Sessions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./knack curate}. */
@Command(
    name = "curate",
    mixinStandardHelpOptions = true,
    description = "From clusters to examples: train, validation, holdout, anchor.",
    footer = {
      "",
      "Examples:",
      "  ./knack curate --home knack-home",
      "  ./knack curate --home knack-home --set all_as_one_cluster=true",
      "  ./knack curate --home knack-home --set 'verifiers=[{kind: numeric}]'"
    })
public final class CurateCommand implements Callable<Integer> {
  @Mixin private StageOptions options = new StageOptions();

  @Override
  public Integer call() {
    try (Sessions sessions = new Sessions("curate")) {
      return options.run(new CurateStage(sessions));
    }
  }
}
