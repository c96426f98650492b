package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Report;
import io.knack.contracts.Verdict;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.table.Tables;
import io.knack.llm.LanguageModel;
import io.knack.llm.MeteredModel;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.solve.Solver;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifiers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code evaluate}: what does each memory save, at what accuracy, and is it safe to ship?
 *
 * <p>Triggers are fitted and arms are screened on the validation split; the best arm of each
 * cluster enters a candidate manifest; the sealed holdout gates that manifest as a whole. What is
 * live already is judged again where its problems were seen, and kept where not. A sealed holdout
 * gates one night: a curriculum that an earlier evaluation has opened is refused.
 */
public final class EvaluateStage implements Stage<EvaluatePlan> {
  /** The manifest that would be served, in the artifact. */
  public static final String CANDIDATE = "manifest.json";

  /** The contract {@link Report}, in the artifact. */
  public static final String REPORT = "report.json";

  /** The page for people, in the artifact. */
  public static final String PAGE = "report.html";

  /** The feature space that the candidate's triggers live in, in the artifact. */
  public static final String FEATURE_SPACE = "feature-space";

  private final ModelSource models;
  private final BiFunction<Path, Encoders, FeatureSpace> spaces;

  public EvaluateStage(ModelSource models) {
    this(models, FeatureSpace::load);
  }

  EvaluateStage(ModelSource models, BiFunction<Path, Encoders, FeatureSpace> spaces) {
    this.models = models;
    this.spaces = spaces;
  }

  @Override
  public String name() {
    return "evaluate";
  }

  @Override
  public Class<EvaluatePlan> planType() {
    return EvaluatePlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.EVALUATION;
  }

  @Override
  public List<StageInput> inputs(EvaluatePlan plan) {
    return List.of(
        new StageInput(ArtifactKind.CURRICULUM, Need.LATEST),
        new StageInput(ArtifactKind.CLUSTERS, Need.LATEST),
        new StageInput(ArtifactKind.ADAPTERS, Need.LATEST_IF_ANY),
        new StageInput(ArtifactKind.RULES, Need.LATEST_IF_ANY),
        new StageInput(ArtifactKind.EPISODES, Need.LATEST_IF_ANY),
        new StageInput(ArtifactKind.EVALUATION, Need.CHAIN_IF_ANY));
  }

  @Override
  public StageResult run(EvaluatePlan asked, StageInputs inputs, StageContext context)
      throws IOException {
    EvaluatePlan plan = tonight(asked, inputs.chain(ArtifactKind.EVALUATION));
    Artifact curriculum = inputs.required(ArtifactKind.CURRICULUM);
    refuseOpened(curriculum, inputs.chain(ArtifactKind.EVALUATION));
    Curriculum problems = Curriculum.read(curriculum);
    if (problems.holdout().isEmpty()) {
      return new StageResult.Nothing("the holdout is empty: there is nothing to judge with");
    }
    Artifact clusters = inputs.required(ArtifactKind.CLUSTERS);
    Path spaceFile = featureSpaceFile(clusters);
    FeatureSpace space = spaces.apply(spaceFile, Encoders.of(context.home()));
    Memories memories = Memories.read(inputs, plan.carrying(), space);
    Map<ClusterId, Cluster> byId =
        Tables.CLUSTERS.readAllFrom(clusters.directory()).stream()
            .collect(Collectors.toMap(Cluster::clusterId, c -> c, (a, b) -> a));
    LiveEntries live = LiveEntries.read(context.home(), plan, space, byId, problems::validates);
    if (memories.all().isEmpty() && live.judged().isEmpty()) {
      return new StageResult.Nothing("no memory was learnt: there is nothing to judge");
    }
    Solver solver = Solvers.named(plan.method());
    Map<String, Path> adapters = new TreeMap<>();
    if (plan.model() != null) {
      adapters.putAll(live.adapterDirectories());
      adapters.putAll(memories.adapterDirectories());
    }
    try (LanguageModel model = new MeteredModel(models.open(plan, adapters), context.allowance());
        Verifiers verifiers = new Verifiers(Path.of("").toAbsolutePath(), model)) {
      Sides sides =
          new Sides(
              space,
              plan.solver().form(),
              plan.servedName(),
              plan.baseRevision(),
              plan.carrying().retrievalMicros(),
              problems.learntTexts());
      Asker asker = new Asker(model, solver, plan.solver(), verifiers, plan.seed());
      Night.Judged judged =
          new Night(
                  plan,
                  context,
                  new Night.Setting(problems, memories, live, byId, space, sides),
                  asker,
                  model,
                  solver,
                  inputs)
              .judge();
      Verdict verdict = judged.gated().verdict();
      context.console().say("evaluate: " + word(verdict) + ": " + verdict.rule());
      return EvaluationFiles.write(
          context.output(),
          judged.report(),
          sides.manifest(judged.gated().entries()),
          spaceFile,
          judged.screened(),
          judged.gated(),
          asker,
          plan.seed());
    }
  }

  /** Nights whose holdout stayed sealed spent nothing. */
  private static EvaluatePlan tonight(EvaluatePlan plan, List<Artifact> earlier) {
    List<Artifact> gated =
        earlier.stream()
            .filter(
                night ->
                    night.card().figures().get("problems") instanceof Number opened
                        && opened.longValue() > 0)
            .toList();
    long promoted =
        gated.stream()
            .filter(night -> "promote".equals(night.card().figures().get("verdict")))
            .count();
    return plan.after(gated.size(), Math.toIntExact(promoted));
  }

  static String word(Verdict verdict) {
    if (verdict instanceof Verdict.Promote) {
      return "promote";
    }
    return verdict instanceof Verdict.Hold ? "hold" : "insufficient";
  }

  /** A sealed set that has gated a night is not sealed any more. */
  private static void refuseOpened(Artifact curriculum, List<Artifact> earlier) {
    for (Artifact evaluation : earlier) {
      if (evaluation.card().inputs().contains(curriculum.ref())
          && evaluation.card().figures().get("problems") instanceof Number opened
          && opened.longValue() > 0) {
        throw new ContractException(
            "the sealed holdout of "
                + curriculum.ref()
                + " has gated run "
                + evaluation.card().run()
                + " already, and gates one night only; run './knack curate' on later traffic"
                + " first");
      }
    }
  }

  /** The feature space that mining wrote beside its clusters. */
  static Path featureSpaceFile(Artifact clusters) throws IOException {
    try (Stream<Path> files = Files.list(clusters.directory())) {
      return files
          .filter(file -> file.getFileName().toString().replace('_', '-').startsWith("feature"))
          .sorted()
          .findFirst()
          .orElseThrow(
              () ->
                  new ContractException(
                      clusters.ref() + " has no feature space beside its clusters; mine again"));
    }
  }
}
