package io.knack.consolidation;

import io.knack.consolidation.reflect.Models;
import io.knack.consolidation.reflect.ReflectStage;
import io.knack.contracts.cli.StageOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code reflect}: examples to rules. */
@Command(
    name = "reflect",
    mixinStandardHelpOptions = true,
    description = "Distils rules from solved and failed attempts, replays them, keeps what helps.",
    footer = {"", "Example: ./knack reflect --plan config/reflect.yaml --set model=models/base"})
public final class ReflectCommand implements Callable<Integer> {
  @Mixin StageOptions options = new StageOptions();

  @Override
  public Integer call() {
    return options.run(new ReflectStage(new Models()));
  }
}
