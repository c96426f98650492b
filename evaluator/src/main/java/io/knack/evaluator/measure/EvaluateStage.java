package io.knack.evaluator.measure;

import io.knack.contracts.Budget;
import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Interval;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Report.Comparison;
import io.knack.contracts.Report.EntryReport;
import io.knack.contracts.Report.Refusal;
import io.knack.contracts.Report.ReturnOnInvestment;
import io.knack.contracts.Report.SideBySide;
import io.knack.contracts.Split;
import io.knack.contracts.Trial;
import io.knack.contracts.Verdict;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.evaluator.report.ReportPage;
import io.knack.llm.LanguageModel;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.solve.Seeds;
import io.knack.practice.solve.Solver;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifiers;
import io.knack.tracking.RunStatus;
import io.knack.tracking.RunTracker;
import io.knack.tracking.TrackedRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code evaluate}: what does each memory save, at what accuracy, and is it safe to ship?
 *
 * <p>Triggers are fitted and arms are screened on the validation split; the best arm of each
 * cluster enters a candidate manifest; the sealed holdout gates that manifest as a whole. A sealed
 * holdout gates one night: a curriculum that an earlier evaluation has opened is refused.
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
  private final Function<Path, FeatureSpace> spaces;

  public EvaluateStage(ModelSource models) {
    this(models, FeatureSpace::load);
  }

  EvaluateStage(ModelSource models, Function<Path, FeatureSpace> spaces) {
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
  public StageResult run(EvaluatePlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    Artifact curriculum = inputs.required(ArtifactKind.CURRICULUM);
    refuseOpened(curriculum, inputs.chain(ArtifactKind.EVALUATION));
    Problems problems = Problems.read(curriculum);
    Memories memories = Memories.read(inputs, plan.carrying());
    if (memories.all().isEmpty()) {
      return new StageResult.Nothing("no memory was learnt: there is nothing to judge");
    }
    if (problems.holdout().isEmpty()) {
      return new StageResult.Nothing("the holdout is empty: there is nothing to judge with");
    }
    Artifact clusters = inputs.required(ArtifactKind.CLUSTERS);
    Path spaceFile = featureSpaceFile(clusters);
    FeatureSpace space = spaces.apply(spaceFile);
    Map<ClusterId, Cluster> byId =
        Tables.CLUSTERS.readAllFrom(clusters.directory()).stream()
            .collect(Collectors.toMap(Cluster::clusterId, c -> c, (a, b) -> a));
    Solver solver = Solvers.named(plan.method());
    Map<String, Path> adapters = plan.model() == null ? Map.of() : memories.adapterDirectories();
    try (RunTracker tracker = RunTracker.open(plan.tracking(), context.home());
        TrackedRun tracked = tracker.start("evaluate", Map.of("knack.stage", "evaluate"));
        LanguageModel model = models.open(plan, adapters);
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
      Night night =
          new Night(
              plan,
              context,
              problems,
              memories,
              byId,
              new Scope(space, byId),
              sides,
              asker,
              model,
              solver,
              inputs);
      StageResult.Produced result = night.judge(spaceFile);
      track(tracked, night.report(), context.output());
      tracked.end(RunStatus.FINISHED);
      return result;
    }
  }

  private static void track(TrackedRun run, Report report, Path output) {
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put("problems", (double) report.counts().gated());
    metrics.put("saved_per_month", report.returns().savedPerMonth());
    metrics.put("night_cost", report.returns().nightCost());
    metrics.put("accuracy_change", report.evidence().meanDifference());
    report.comparisons().stream()
        .filter(c -> c.phase().equals("gate") && c.dimension().equals("all"))
        .findFirst()
        .ifPresent(c -> metrics.put("saving", c.saving().estimate()));
    run.metrics(metrics, 0);
    run.params(report.policy());
    run.tag("knack.verdict", word(report.verdict()));
    run.artifact(output.resolve(REPORT), "");
    run.artifact(output.resolve(PAGE), "");
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
                + " already, and gates one night only; run './knack curate' on later traffic first");
      }
    }
  }

  /** The feature space that mining wrote beside its clusters. */
  private static Path featureSpaceFile(Artifact clusters) throws IOException {
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

  /** The curriculum's examples by split. */
  record Problems(
      List<Example> train, List<Example> validation, List<Example> holdout, List<Example> anchor) {

    static Problems read(Artifact curriculum) {
      Map<Split, List<Example>> bySplit =
          Tables.EXAMPLES.readAllFrom(curriculum.directory()).stream()
              .sorted(Comparator.comparing((Example e) -> e.id().value()))
              .collect(Collectors.groupingBy(Example::split));
      Problems problems =
          new Problems(
              bySplit.getOrDefault(Split.TRAIN, List.of()),
              bySplit.getOrDefault(Split.VALIDATION, List.of()),
              bySplit.getOrDefault(Split.HOLDOUT, List.of()),
              bySplit.getOrDefault(Split.ANCHOR, List.of()));
      problems.refuseLeaks();
      return problems;
    }

    private void refuseLeaks() {
      Set<InteractionId> learnt = new HashSet<>();
      train.forEach(e -> learnt.addAll(e.sourceInteractionIds()));
      for (List<Example> sealed : List.of(validation, holdout, anchor)) {
        for (Example example : sealed) {
          for (InteractionId id : example.sourceInteractionIds()) {
            if (learnt.contains(id)) {
              throw new ContractException(
                  "leaked holdout: interaction "
                      + id
                      + " is in the "
                      + example.split().name().toLowerCase(java.util.Locale.ROOT)
                      + " split and was trained on");
            }
          }
        }
      }
    }

    Set<String> learntTexts() {
      return train.stream().map(e -> e.problem().strip()).collect(Collectors.toSet());
    }
  }

  /** One evaluation under way. */
  private static final class Night {
    /** How far token counts may be off: by our tokenizer, and by a guess at an endpoint's. */
    private static final double OWN_SLACK = 1.3;

    private static final double FOREIGN_SLACK = 2;

    private final EvaluatePlan plan;
    private final StageContext context;
    private final Problems problems;
    private final Memories memories;
    private final Map<ClusterId, Cluster> clusters;
    private final Scope scope;
    private final Sides sides;
    private final Asker asker;
    private final LanguageModel model;
    private final Solver solver;
    private final StageInputs inputs;
    private final List<Refusal> refused = new ArrayList<>();
    private @Nullable Report report;
    private @Nullable CostCap caps;

    Night(
        EvaluatePlan plan,
        StageContext context,
        Problems problems,
        Memories memories,
        Map<ClusterId, Cluster> clusters,
        Scope scope,
        Sides sides,
        Asker asker,
        LanguageModel model,
        Solver solver,
        StageInputs inputs) {
      this.plan = plan;
      this.context = context;
      this.problems = problems;
      this.memories = memories;
      this.clusters = clusters;
      this.scope = scope;
      this.sides = sides;
      this.asker = asker;
      this.model = model;
      this.solver = solver;
      this.inputs = inputs;
    }

    Report report() {
      return Objects.requireNonNull(report);
    }

    StageResult.Produced judge(Path spaceFile) throws IOException {
      List<Memory> arms = usable();
      List<ClusterId> competing = arms.stream().map(Memory::clusterId).distinct().toList();
      Map<ClusterId, List<Example>> validation = sample(competing);
      Map<ClusterId, Scope.Fitted> triggers =
          scope.fit(competing, problems.validation(), problems.anchor(), plan.triggers());
      Screening.Screened screened =
          new Screening(sides, asker, plan)
              .screen(arms, clusters, validation, triggers, context.console());
      asker.forget();
      stopIfAsked();

      List<Screening.Choice> won =
          screened.choices().stream().filter(choice -> choice.chosen() != null).toList();
      // Who competes decides the runner-up: triggers are fitted again for the entries alone.
      Map<ClusterId, Scope.Fitted> fitted =
          scope.fit(
              won.stream().map(choice -> choice.cluster().clusterId()).distinct().toList(),
              problems.validation(),
              problems.anchor(),
              plan.triggers());
      List<Manifest.Entry> candidate = new ArrayList<>();
      for (Screening.Choice choice : won) {
        Scope.Fitted fit = Objects.requireNonNull(fitted.get(choice.cluster().clusterId()));
        if (fit.fit().usable(plan.triggers())) {
          candidate.add(
              Objects.requireNonNull(choice.chosen())
                  .entry(fit.trigger(), choice.expectedSaving()));
        } else {
          refused.add(
              new Refusal(
                  "cluster " + choice.cluster().clusterId(),
                  String.format(
                      java.util.Locale.ROOT,
                      "no trigger parts its problems from others: recall %.2f, misfires %.3f",
                      fit.fit().recall(),
                      fit.fit().misfires())));
        }
      }
      caps =
          new CostCap(
              model,
              plan.method(),
              asker.tighten(),
              plan.prices(),
              plan.model() == null ? FOREIGN_SLACK : OWN_SLACK);
      HoldoutGate.Gated gated =
          new HoldoutGate(sides, asker, Objects.requireNonNull(caps), plan)
              .run(
                  candidate,
                  shuffled(problems.holdout()),
                  shuffled(problems.anchor()).stream().limit(plan.sampling().anchor()).toList(),
                  context.console(),
                  context::stopRequested);
      stopIfAsked();
      refused.addAll(gated.dropped());
      report = compose(screened, fitted, gated);
      return write(spaceFile, screened, gated);
    }

    private void stopIfAsked() {
      if (context.stopRequested()) {
        throw new TemporaryException(
            "evaluate was asked to stop; nothing of it is kept, the holdout stays sealed");
      }
    }

    /** Arms of clusters that mining still knows, and that the model at hand can serve. */
    private List<Memory> usable() {
      List<Memory> usable = new ArrayList<>();
      Set<String> told = new TreeSet<>();
      for (Memory memory : memories.all()) {
        if (!clusters.containsKey(memory.clusterId())) {
          told.add("cluster " + memory.clusterId() + "\nis not among the clusters of tonight");
        } else if (memory.adapter() != null && plan.model() == null) {
          told.add("adapters\nthe plan names no model directory to measure them with");
        } else {
          usable.add(memory);
        }
      }
      told.forEach(
          what -> {
            String[] parts = what.split("\n", 2);
            refused.add(new Refusal(parts[0], parts[1]));
          });
      return usable;
    }

    private Map<ClusterId, List<Example>> sample(List<ClusterId> competing) {
      Map<ClusterId, List<Example>> sample = new LinkedHashMap<>();
      competing.forEach(id -> sample.put(id, new ArrayList<>()));
      for (Example example : shuffled(problems.validation())) {
        List<Example> list = example.clusterId() == null ? null : sample.get(example.clusterId());
        if (list != null && list.size() < plan.sampling().screening()) {
          list.add(example);
        }
      }
      return sample;
    }

    /** By a hash of id and seed: an order that no outcome has touched. */
    private List<Example> shuffled(List<Example> examples) {
      Map<Example, Long> keys = new HashMap<>();
      examples.forEach(e -> keys.put(e, Seeds.of(plan.seed(), e.id().value().hashCode())));
      return examples.stream()
          .sorted(
              Comparator.comparing((Example e) -> Objects.requireNonNull(keys.get(e)))
                  .thenComparing(e -> e.id().value()))
          .toList();
    }

    // ---- the report

    private Report compose(
        Screening.Screened screened, Map<ClusterId, Scope.Fitted> fitted, HoldoutGate.Gated gated) {
      List<Comparison> comparisons = comparisons(screened, gated);
      return new Report(
          context.run(),
          plan.servedName(),
          plan.baseRevision(),
          solver.name(),
          solver.unit(),
          plan.prices(),
          plan.gate().limits(),
          gated.verdict(),
          new Report.Counts(
              screened.choices().stream().map(c -> c.cluster().clusterId()).distinct().count(),
              screened.trials().stream().filter(t -> t.arm().equals(Memory.BASELINE)).count(),
              gated.looked(),
              gated.available(),
              gated.evidence().anchorProblems(),
              asker.solved(),
              Stream.concat(screened.trials().stream(), gated.trials().stream())
                  .filter(trial -> trial.fault() != null)
                  .count()),
          gated.evidence(),
          comparisons,
          entries(screened, fitted, gated),
          returns(screened, gated, comparisons),
          examples(gated),
          refused);
    }

    private List<Comparison> comparisons(Screening.Screened screened, HoldoutGate.Gated gated) {
      double cap = 0;
      for (Trial trial : screened.trials()) {
        cap = Math.max(cap, plan.prices().cost(trial.budget()));
      }
      for (Trial trial : gated.trials()) {
        cap = Math.max(cap, plan.prices().cost(trial.budget()));
      }
      // The widest any problem's cap can be: intervals hold for what the method may spend at most.
      CostCap most = Objects.requireNonNull(caps);
      for (HoldoutGate.Pair pair : gated.pairs()) {
        Question q = pair.candidate().question();
        cap =
            Math.max(
                cap, most.of(q.messages(), q.example().verifier().kind(), q.retrievalMicros()));
      }
      Comparisons all = new Comparisons(plan.prices(), cap, plan.sampling().slices());
      List<Comparison> comparisons = new ArrayList<>();
      Map<String, Trial> baseline = new HashMap<>();
      screened.trials().stream()
          .filter(trial -> trial.arm().equals(Memory.BASELINE))
          .forEach(trial -> baseline.put(trial.example().value(), trial));
      for (String arm : memories.arms()) {
        comparisons.addAll(
            all.of(
                "screening",
                arm,
                screened.trials().stream()
                    .filter(trial -> trial.arm().equals(arm))
                    .map(
                        t ->
                            new Comparisons.TrialPair(
                                Objects.requireNonNull(baseline.get(t.example().value())), t))
                    .toList()));
      }
      comparisons.addAll(all.of("gate", Memory.MANIFEST, trialPairs(gated.pairs())));
      Map<ClusterId, String> chosen = new HashMap<>();
      gated.entries().forEach(entry -> chosen.put(entry.clusterId(), entry.memory()));
      for (String arm : new TreeSet<>(chosen.values())) {
        comparisons.addAll(
            all
                .of(
                    "gate",
                    arm,
                    trialPairs(
                        gated.pairs().stream()
                            .filter(p -> arm.equals(chosen.get(p.candidate().trial().cluster())))
                            .toList()))
                .stream()
                .filter(comparison -> comparison.dimension().equals("all"))
                .toList());
      }
      comparisons.addAll(
          all.of("anchor", Memory.MANIFEST, trialPairs(gated.outside())).stream()
              .filter(comparison -> comparison.dimension().equals("all"))
              .toList());
      return comparisons;
    }

    private static List<Comparisons.TrialPair> trialPairs(List<HoldoutGate.Pair> pairs) {
      return pairs.stream()
          .map(p -> new Comparisons.TrialPair(p.baseline().trial(), p.candidate().trial()))
          .toList();
    }

    private List<EntryReport> entries(
        Screening.Screened screened, Map<ClusterId, Scope.Fitted> fitted, HoldoutGate.Gated gated) {
      List<EntryReport> entries = new ArrayList<>();
      for (Screening.Choice choice : screened.choices()) {
        ClusterId id = choice.cluster().clusterId();
        Scope.@Nullable Fitted fit = fitted.get(id);
        boolean in =
            choice.chosen() != null
                && gated.entries().stream()
                    .anyMatch(
                        e ->
                            e.clusterId().equals(id)
                                && Objects.equals(e.tenant(), choice.chosen().tenant()));
        Verdict verdict;
        if (choice.chosen() == null) {
          verdict = new Verdict.Hold("no memory is worth its cost here");
        } else if (!in) {
          verdict =
              new Verdict.Hold(
                  refused.stream()
                      .filter(r -> r.what().startsWith("cluster " + id))
                      .map(Refusal::why)
                      .findFirst()
                      .orElse("left out"));
        } else {
          verdict = gated.verdict();
        }
        entries.add(
            new EntryReport(
                id,
                choice.chosen() == null ? choice.cluster().tenant() : choice.chosen().tenant(),
                title(choice.cluster()),
                choice.chosen() == null ? Memory.NOTHING : choice.chosen().arm(),
                choice.problemsPerMonth(),
                choice.expectedSaving(),
                verdict,
                choice.arms(),
                fit == null ? null : fit.trigger(),
                fit == null ? 0 : fit.fit().recall(),
                fit == null ? 0 : fit.fit().misfires()));
      }
      return entries;
    }

    private static String title(Cluster cluster) {
      if (!cluster.terms().isEmpty()) {
        return String.join(", ", cluster.terms().stream().limit(4).toList());
      }
      return cluster.exemplars().isEmpty()
          ? cluster.clusterId().value()
          : cluster.exemplars().get(0);
    }

    private ReturnOnInvestment returns(
        Screening.Screened screened, HoldoutGate.Gated gated, List<Comparison> comparisons) {
      Set<ClusterId> promoted =
          gated.entries().stream().map(Manifest.Entry::clusterId).collect(Collectors.toSet());
      Map<ClusterId, Double> baselineCost = new HashMap<>();
      comparisons.stream()
          .filter(
              c ->
                  c.phase().equals("gate")
                      && c.arm().equals(Memory.MANIFEST)
                      && c.dimension().equals("cluster"))
          .forEach(c -> baselineCost.put(new ClusterId(c.value()), c.baseline().cost()));
      double monthly = 0;
      double carrying = 0;
      for (Screening.Choice choice : screened.choices()) {
        if (choice.chosen() != null && promoted.contains(choice.cluster().clusterId())) {
          monthly +=
              choice.problemsPerMonth()
                  * baselineCost.getOrDefault(choice.cluster().clusterId(), 0.0);
          carrying += choice.chosen().carryingCost();
        }
      }
      Interval saving =
          comparisons.stream()
              .filter(
                  c ->
                      c.phase().equals("gate")
                          && c.arm().equals(Memory.MANIFEST)
                          && c.dimension().equals("all"))
              .map(Comparison::saving)
              .findFirst()
              .orElse(new Interval(0, 0, 0));
      Interval bounds =
          new Interval(
              monthly * saving.estimate() - carrying,
              monthly * saving.low() - carrying,
              monthly * saving.high() - carrying);
      SortedMap<String, Double> costs = nightCosts();
      double night = costs.values().stream().mapToDouble(Double::doubleValue).sum();
      return new ReturnOnInvestment(
          bounds.estimate(),
          bounds,
          night,
          costs,
          bounds.estimate() > 0 ? night / bounds.estimate() * 30 : null);
    }

    /** What tonight's memory cost: this evaluation by its trials, the makers by their cards. */
    private SortedMap<String, Double> nightCosts() {
      SortedMap<String, Double> costs = new TreeMap<>();
      costs.put("evaluate", plan.prices().cost(asker.spent()));
      for (ArtifactKind kind :
          List.of(ArtifactKind.ADAPTERS, ArtifactKind.RULES, ArtifactKind.EPISODES)) {
        inputs
            .latest(kind)
            .ifPresent(
                artifact -> {
                  Map<String, Object> figures = artifact.card().figures();
                  Budget tokens =
                      new Budget(
                          (long) figure(figures, "prompt_tokens"),
                          0,
                          (long) figure(figures, "completion_tokens"),
                          0,
                          (long) figure(figures, "verifier_calls"),
                          0,
                          0,
                          0,
                          0);
                  costs.put(
                      artifact.card().producer(),
                      plan.prices().cost(tokens)
                          + figure(figures, "device_seconds")
                              / 3600
                              * plan.carrying().deviceHour());
                });
      }
      return costs;
    }

    private static double figure(Map<String, Object> figures, String name) {
      return figures.get(name) instanceof Number number ? number.doubleValue() : 0;
    }

    /** Where memory fired: the largest savings, and every kind of change of the outcome. */
    private List<SideBySide> examples(HoldoutGate.Gated gated) {
      List<SideBySide> all = new ArrayList<>();
      for (HoldoutGate.Pair pair : gated.pairs()) {
        Trial b = pair.baseline().trial();
        Trial c = pair.candidate().trial();
        if (c.fired()) {
          all.add(
              new SideBySide(
                  b.example(),
                  b.cluster(),
                  gated.entries().stream()
                      .filter(e -> e.clusterId().equals(pair.firedFor()))
                      .map(Manifest.Entry::memory)
                      .findFirst()
                      .orElse(Memory.MANIFEST),
                  pair.baseline().question().example().problem(),
                  pair.baseline().solution().answer(),
                  b.passed(),
                  plan.prices().cost(b.budget()),
                  b.budget().units(),
                  pair.candidate().solution().answer(),
                  c.passed(),
                  plan.prices().cost(c.budget()),
                  c.budget().units()));
        }
      }
      List<SideBySide> chosen = new ArrayList<>();
      int most = plan.sampling().examples();
      for (boolean worse : new boolean[] {true, false}) {
        all.stream()
            .filter(e -> (e.baselinePassed() && !e.candidatePassed()) == worse)
            .sorted(
                Comparator.comparingDouble((SideBySide e) -> e.candidateCost() - e.baselineCost())
                    .thenComparing(e -> e.example().value()))
            .limit(worse ? Math.max(1, most / 4) : most)
            .forEach(chosen::add);
      }
      return chosen.stream().limit(most).toList();
    }

    private StageResult.Produced write(
        Path spaceFile, Screening.Screened screened, HoldoutGate.Gated gated) throws IOException {
      Path output = context.output();
      Manifest manifest = sides.manifest(gated.entries());
      List<Trial> trials = new ArrayList<>(screened.trials());
      trials.addAll(gated.trials());
      Tables.TRIALS.writeInto(output, trials);
      DurableFiles.replace(
          output.resolve(REPORT),
          Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(report()) + "\n");
      DurableFiles.replace(
          output.resolve(CANDIDATE),
          Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(manifest) + "\n");
      DurableFiles.replace(output.resolve(PAGE), ReportPage.render(report()));
      copy(spaceFile, output.resolve(FEATURE_SPACE));
      Map<String, Object> figures = new TreeMap<>();
      figures.put("verdict", word(gated.verdict()));
      figures.put("rule", gated.verdict().rule());
      figures.put("entries", gated.entries().size());
      figures.put("problems", gated.looked());
      figures.put("solved", asker.solved());
      figures.put("saved_per_month", report().returns().savedPerMonth());
      if (gated.evidence().provedSaving() != null) {
        figures.put("proved_saving", gated.evidence().provedSaving());
      }
      if (gated.verdict() instanceof Verdict.Insufficient insufficient) {
        figures.put("problems_needed", insufficient.problemsNeeded());
      }
      context.console().say("evaluate: " + word(gated.verdict()) + ": " + gated.verdict().rule());
      return StageResult.Produced.of(digest(trials, manifest), plan.seed(), figures);
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
}
