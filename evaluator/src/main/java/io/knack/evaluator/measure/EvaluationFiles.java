package io.knack.evaluator.measure;

import io.knack.contracts.Budget;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Trial;
import io.knack.contracts.Verdict;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.evaluator.report.ReportPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What an evaluation hands on: trials, report, page, candidate manifest, feature space. */
final class EvaluationFiles {
  private EvaluationFiles() {}

  /**
   * Writes the artifact's files.
   *
   * @return its digest and figures
   */
  static StageResult.Produced write(
      Path output,
      Report report,
      Manifest manifest,
      Path spaceFile,
      Screening.Screened screened,
      HoldoutGate.Gated gated,
      Asker asker,
      long seed)
      throws IOException {
    List<Trial> trials = new ArrayList<>(screened.trials());
    trials.addAll(gated.trials());
    Tables.TRIALS.writeInto(output, trials);
    DurableFiles.replace(
        output.resolve(EvaluateStage.REPORT),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n");
    DurableFiles.replace(
        output.resolve(EvaluateStage.CANDIDATE),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(manifest) + "\n");
    DurableFiles.replace(output.resolve(EvaluateStage.PAGE), ReportPage.render(report));
    copy(spaceFile, output.resolve(EvaluateStage.FEATURE_SPACE));
    Map<String, Object> figures = new TreeMap<>();
    figures.put("verdict", EvaluateStage.word(gated.verdict()));
    figures.put("rule", gated.verdict().rule());
    figures.put("entries", gated.entries().size());
    figures.put("problems", gated.looked());
    figures.put("solved", asker.solved());
    figures.put("saved_per_month", report.returns().savedPerMonth());
    if (gated.evidence().provedSaving() != null) {
      figures.put("proved_saving", gated.evidence().provedSaving());
    }
    if (gated.verdict() instanceof Verdict.Insufficient insufficient) {
      figures.put("problems_needed", insufficient.problemsNeeded());
    }
    return StageResult.Produced.of(digest(trials, manifest), seed, figures);
  }

  private static void copy(Path from, Path to) throws IOException {
    if (Files.isDirectory(from)) {
      try (Stream<Path> files = Files.walk(from)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path target = to.resolve(from.relativize(file).toString());
          Files.createDirectories(Objects.requireNonNull(target.getParent()));
          Files.copy(file, target);
        }
      }
    } else {
      Files.copy(from, to);
    }
  }

  /** Over trials without their times, and the manifest. */
  private static String digest(List<Trial> trials, Manifest manifest) throws IOException {
    List<Trial> timeless =
        trials.stream()
            .map(
                t ->
                    new Trial(
                        t.example(),
                        t.cluster(),
                        t.tenant(),
                        t.tags(),
                        t.arm(),
                        t.method(),
                        t.seed(),
                        t.similarity(),
                        t.fired(),
                        t.passed(),
                        t.score(),
                        t.fault(),
                        new Budget(
                            t.budget().promptTokens(),
                            t.budget().cachedPromptTokens(),
                            t.budget().completionTokens(),
                            t.budget().units(),
                            t.budget().verifierCalls(),
                            t.budget().judgeCalls(),
                            t.budget().judgeTokens(),
                            t.budget().retrievalMicros(),
                            0)))
            .toList();
    return Digests.sha256(
        Tables.TRIALS.contentDigest(timeless) + Jsons.mapper().writeValueAsString(manifest));
  }
}
