package io.knack.evaluator;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.cli.StageOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.gate.GatePolicy;
import io.knack.evaluator.gate.GateSimulation;
import io.knack.evaluator.measure.EvaluateStage;
import io.knack.evaluator.measure.Models;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code evaluate}. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description = {
      "Measures what each memory saves at what accuracy, on later traffic, and writes report and"
          + " verdict.",
      "With --simulate it plays the gate over imagined nights instead, and reports its error rates."
    },
    footer = {
      "",
      "example: ./knack evaluate --plan config/evaluate.yaml --home ./knack-home",
      "         ./knack evaluate --simulate --json"
    })
public final class EvaluateCommand implements Callable<Integer> {
  @Mixin private StageOptions options = new StageOptions();

  @Option(names = "--simulate", description = "error rates of the gate that ships, by simulation")
  private boolean simulate;

  @Option(
      names = "--nights",
      paramLabel = "N",
      defaultValue = "10000",
      description = "imagined nights for each truth (default: ${DEFAULT-VALUE})")
  private int nights = 10_000;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "of the simulation")
  private long seed = 1;

  @Override
  public Integer call() throws InterruptedException, JsonProcessingException {
    if (simulate) {
      return simulate();
    }
    return options.run(new EvaluateStage(Models::open));
  }

  private int simulate() throws InterruptedException, JsonProcessingException {
    if (nights < 1) {
      throw new PlanException("--nights " + nights + ": expected at least 1");
    }
    GateSimulation.Result result =
        new GateSimulation(GatePolicy.DEFAULT, seed)
            .run(nights, Runtime.getRuntime().availableProcessors(), Terminal.standard());
    if (options.home.json) {
      System.out.println(
          Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(result));
    } else {
      System.out.printf(
          Locale.ROOT, "%-28s %9s %9s %14s%n", "truth", "promoted", "held", "problems used");
      for (GateSimulation.Outcome outcome : result.outcomes()) {
        System.out.printf(
            Locale.ROOT,
            "%-28s %8.2f%% %8.2f%% %13.1f%%%n",
            outcome.truth().name(),
            100 * outcome.promoted(),
            100 * outcome.held(),
            100 * outcome.problemsUsed());
      }
    }
    return ExitCode.OK.code();
  }
}
