package io.knack.evaluator;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Verdict;
import io.knack.contracts.cli.StageOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.RunRecord;
import io.knack.contracts.stage.StageObserver;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.measure.EvaluateStage;
import io.knack.evaluator.measure.Memories;
import io.knack.evaluator.promote.PromotePlan;
import io.knack.evaluator.promote.Promotion;
import io.knack.tracking.RunTracker;
import io.knack.tracking.TrackingPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code promote}: the latest evaluation's candidate goes live, if its verdict says so. */
@Command(
    name = "promote",
    mixinStandardHelpOptions = true,
    description = {
      "Makes what the latest evaluation promoted live: adapters are checked and handed over, the next"
          + " manifest is written, aliases move.",
      "Run it again after a failure: it completes what is missing."
    },
    footer = {
      "",
      "example: ./knack promote --home ./knack-home --set 'replicas=[http://localhost:8000]'"
    })
public final class PromoteCommand implements Callable<Integer> {
  @Mixin private StageOptions options = new StageOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    PromotePlan plan = Plans.read(PromotePlan.class, options.plan, options.overrides);
    if (options.dryRun) {
      return StageOptions.printed(plan);
    }
    Clock clock = Clock.systemUTC();
    RunId run =
        options.run == null ? StageRunner.newRunId(clock) : StageRunner.checkedRunId(options.run);
    return new Promoting(options.home.home, plan, run, clock).run(options.home.json);
  }

  /** One promotion, recorded like a stage. */
  private record Promoting(Path home, PromotePlan plan, RunId run, Clock clock) {

    @SuppressWarnings("BooleanParameter")
    int run(boolean json) throws IOException, InterruptedException {
      ArtifactStore store = ArtifactStore.open(home);
      Artifact evaluation =
          store
              .latest(ArtifactKind.EVALUATION)
              .orElseThrow(
                  () ->
                      new ContractException(
                          "there is no evaluation in " + home + "; run './knack evaluate' first"));
      store.verify(evaluation);
      Instant started = clock.instant();
      StageObserver.Watch watch =
          StageObserver.installed()
              .begin(
                  new StageObserver.Beginning(
                      home, run, "promote", Plans.canonicalJson(plan), List.of(evaluation.ref())));
      try {
        StageRunner.Ending ending = judged(store, evaluation);
        record(evaluation.ref(), started, ending.exit(), ending.reason(), ending.figures());
        watch.ended(ending, Optional.empty());
        print(ending, json);
        return ending.exit().code();
      } catch (KnackException e) {
        record(evaluation.ref(), started, e.exitCode(), e.getMessage(), new TreeMap<>());
        watch.failed(e.exitCode(), String.valueOf(e.getMessage()));
        throw e;
      }
    }

    private StageRunner.Ending judged(ArtifactStore store, Artifact evaluation)
        throws IOException, InterruptedException {
      Report report = read(evaluation.file(EvaluateStage.REPORT), Report.class);
      try (RunTracker tracker = RunTracker.open(TrackingPlan.of(System.getenv()), home)) {
        Promotion promotion = new Promotion(home, plan, tracker, clock, Terminal.standard());
        // What an earlier promotion left undone comes first, whatever tonight's verdict is.
        promotion.reconcile(run.value());
        SortedMap<String, Object> figures = new TreeMap<>();
        if (!(report.verdict() instanceof Verdict.Promote)) {
          String reason = "nothing to promote: " + report.verdict().rule();
          promotion.live().ifPresent(live -> figures.put("manifest", live.number()));
          return new StageRunner.Ending(run, ExitCode.NOTHING, "nothing", null, reason, figures);
        }
        String source = evaluation.ref().toString();
        Promotion.Outcome outcome =
            promotion.promote(
                new Promotion.Wish(
                    run.value(),
                    source,
                    report.verdict().rule() + " (" + source + ")",
                    read(evaluation.file(EvaluateStage.CANDIDATE), Manifest.class),
                    adapters(store, evaluation),
                    evaluation.file(EvaluateStage.FEATURE_SPACE)));
        figures.put("manifest", outcome.manifest().number());
        figures.put("entries", outcome.manifest().entries().size());
        if (!outcome.notes().isEmpty()) {
          figures.put("notes", outcome.notes());
        }
        String reason = outcome.manifest().reason();
        return new StageRunner.Ending(
            run,
            ExitCode.OK,
            outcome.fresh() ? "committed" : "already_committed",
            null,
            reason,
            figures);
      }
    }

    /** The adapters that the evaluation was given, by the names it gave them. */
    private static Map<String, Path> adapters(ArtifactStore store, Artifact evaluation) {
      Map<String, Path> directories = new HashMap<>();
      for (ArtifactRef input : evaluation.card().inputs()) {
        if (input.kind() == ArtifactKind.ADAPTERS) {
          directories.putAll(Memories.adaptersByName(store.resolve(input).directory()));
        }
      }
      return directories;
    }

    private void record(
        ArtifactRef evaluation,
        Instant started,
        ExitCode exit,
        @Nullable String reason,
        SortedMap<String, Object> figures) {
      new RunRecord(
              run,
              "promote",
              Plans.canonicalJson(plan),
              List.of(evaluation),
              started,
              clock.instant(),
              exit.code(),
              null,
              reason,
              figures)
          .write(home);
    }

    private void print(StageRunner.Ending ending, boolean json) throws JsonProcessingException {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("stage", "promote");
      document.put("run", run.value());
      document.put("outcome", ending.outcome());
      document.put("reason", ending.reason());
      document.putAll(ending.figures());
      if (json) {
        System.out.println(Jsons.mapper().writeValueAsString(document));
      } else {
        document.forEach((key, value) -> System.out.println(key + ": " + value));
      }
    }

    private static <T> T read(Path file, Class<T> type) throws IOException {
      try {
        return Jsons.mapper().readValue(Files.readString(file), type);
      } catch (JsonProcessingException e) {
        throw new ContractException(
            file + " is no " + type.getSimpleName() + ": " + Jsons.words(e), e);
      }
    }
  }
}
