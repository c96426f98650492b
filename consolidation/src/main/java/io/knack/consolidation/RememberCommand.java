package io.knack.consolidation;

import io.knack.consolidation.episodes.RememberStage;
import io.knack.contracts.cli.StageOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code remember}: verified solutions to episodes. */
@Command(
    name = "remember",
    mixinStandardHelpOptions = true,
    description = "Chooses the verified solutions that serve best in a prompt.",
    footer = {"", "Example: ./knack remember --plan config/remember.yaml --set per_cluster=4"})
public final class RememberCommand implements Callable<Integer> {
  @Mixin StageOptions options = new StageOptions();

  @Override
  public Integer call() {
    return options.run(new RememberStage());
  }
}
