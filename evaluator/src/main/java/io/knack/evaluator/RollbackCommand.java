package io.knack.evaluator;

import io.knack.contracts.Manifest;
import io.knack.contracts.cli.StageOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.evaluator.promote.PromotePlan;
import io.knack.evaluator.promote.Promotion;
import io.knack.tracking.RunTracker;
import io.knack.tracking.TrackingPlan;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rollback}: an earlier manifest, as a new one. */
@Command(
    name = "rollback",
    mixinStandardHelpOptions = true,
    description = "Brings an earlier manifest back, as a new one; history is never edited.",
    footer = {
      "",
      "example: ./knack rollback --to 3",
      "         ./knack rollback --to 0   (no memory)"
    })
public final class RollbackCommand implements Callable<Integer> {
  @Mixin private StageOptions options = new StageOptions();

  @Option(
      names = "--to",
      paramLabel = "N",
      description = "number of the manifest; the one before the live one without it; 0 for none")
  private @Nullable Long to;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PromotePlan plan = Plans.read(PromotePlan.class, options.plan, options.overrides);
    if (options.dryRun) {
      return StageOptions.printed(plan);
    }
    Clock clock = Clock.systemUTC();
    String run = options.run == null ? StageRunner.newRunId(clock).value() : options.run;
    try (RunTracker tracker =
        RunTracker.open(TrackingPlan.of(System.getenv()), options.home.home)) {
      Promotion promotion =
          new Promotion(options.home.home, plan, tracker, clock, Terminal.standard());
      promotion.reconcile(run);
      Manifest live =
          promotion
              .live()
              .orElseThrow(
                  () -> new ContractException("nothing was ever promoted in " + options.home.home));
      long target = to != null ? to : live.previous() == null ? 0 : live.previous();
      if (target < 0 || target >= live.number()) {
        throw new PlanException(
            "--to " + target + ": expected a manifest before the live one, " + live.number());
      }
      Manifest old =
          target == 0 ? empty(live) : new ServingManifests(options.home.home).numbered(target);
      String source = "rollback:" + target + "@" + live.number();
      Promotion.Outcome outcome =
          promotion.promote(new Promotion.Wish(run, source, source, old, Map.of(), null));
      if (options.home.json) {
        System.out.println(
            Jsons.mapper()
                .writeValueAsString(
                    Map.of(
                        "manifest", outcome.manifest().number(),
                        "restored", target,
                        "entries", outcome.manifest().entries().size())));
      } else {
        System.out.println(
            "manifest "
                + outcome.manifest().number()
                + " is live; it is "
                + (target == 0 ? "no memory at all" : "manifest " + target)
                + " again");
      }
      return ExitCode.OK.code();
    }
  }

  private static Manifest empty(Manifest live) {
    return new Manifest(
        0,
        null,
        live.createdAt(),
        "",
        live.baseModel(),
        live.baseRevision(),
        live.featureSpaceDigest(),
        null,
        List.of(),
        live.encoder());
  }
}
