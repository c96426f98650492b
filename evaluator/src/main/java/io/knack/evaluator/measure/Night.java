package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Report.Refusal;
import io.knack.contracts.Verdict;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.LanguageModel;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.solve.Solver;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * One evaluation: arms are screened on validation, live entries among them; the winners, with the
 * live entries whose problems were not seen, are the candidate; the sealed holdout gates it.
 */
final class Night {
  /** How far token counts may be off: by our tokenizer, and by a guess at an endpoint's. */
  private static final double OWN_SLACK = 1.3;

  private static final double FOREIGN_SLACK = 2;

  private final EvaluatePlan plan;
  private final StageContext context;
  private final Setting setting;
  private final Asker asker;
  private final LanguageModel model;
  private final Solver solver;
  private final StageInputs inputs;
  private final List<Refusal> refused = new ArrayList<>();

  /** What an evaluation reads. */
  record Setting(
      Curriculum curriculum,
      Memories memories,
      LiveEntries live,
      Map<ClusterId, Cluster> clusters,
      FeatureSpace space,
      Sides sides) {}

  /** What it came to. */
  record Judged(Report report, Screening.Screened screened, HoldoutGate.Gated gated) {}

  Night(
      EvaluatePlan plan,
      StageContext context,
      Setting setting,
      Asker asker,
      LanguageModel model,
      Solver solver,
      StageInputs inputs) {
    this.plan = plan;
    this.context = context;
    this.setting = setting;
    this.asker = asker;
    this.model = model;
    this.solver = solver;
    this.inputs = inputs;
  }

  Judged judge() {
    Curriculum curriculum = setting.curriculum();
    Scope scope =
        new Scope(
            setting.space(),
            setting.clusters(),
            curriculum.known(),
            curriculum.anchor(),
            setting.live().keys());
    List<Memory> arms = usable();
    List<ClusterId> competing = arms.stream().map(Memory::clusterId).distinct().toList();
    Map<ClusterId, List<Example>> validation = curriculum.sample(competing, plan);
    Screening.Screened screened =
        new Screening(setting.sides(), asker, plan)
            .screen(
                arms,
                setting.clusters(),
                validation,
                scope.fit(competing, plan.triggers()),
                context.console());
    asker.forget();
    stopIfAsked();

    List<Screening.Choice> won =
        screened.choices().stream().filter(choice -> choice.chosen() != null).toList();
    // Who competes decides the runner-up: triggers are fitted again for the entries alone.
    Map<ClusterId, Scope.Fitted> fitted =
        scope.fit(
            won.stream().map(choice -> choice.cluster().clusterId()).distinct().toList(),
            plan.triggers());
    LiveEntries.Kept kept = setting.live().kept(screened.choices());
    refused.addAll(kept.reasons());
    List<Manifest.Entry> candidate = candidate(won, fitted);
    candidate.addAll(kept.unseen());
    CostCap caps =
        new CostCap(
            model,
            plan.method(),
            asker.tighten(),
            plan.prices(),
            plan.model() == null ? FOREIGN_SLACK : OWN_SLACK);
    HoldoutGate.Gated gated = gate(candidate, won, caps);
    stopIfAsked();
    refused.addAll(gated.dropped());
    if (kept.anyRetired() && !(gated.verdict() instanceof Verdict.Promote)) {
      gated = withoutRetired(gated, screened);
    }
    NightReport report =
        new NightReport(
            plan,
            context.run(),
            inputs,
            solver,
            asker,
            arms.stream().map(Memory::arm).distinct().toList(),
            caps,
            refused);
    return new Judged(report.compose(screened, fitted, gated), screened, gated);
  }

  private List<Manifest.Entry> candidate(
      List<Screening.Choice> won, Map<ClusterId, Scope.Fitted> fitted) {
    List<Manifest.Entry> candidate = new ArrayList<>();
    for (Screening.Choice choice : won) {
      Scope.Fitted fit = Objects.requireNonNull(fitted.get(choice.cluster().clusterId()));
      if (fit.fit().usable(plan.triggers())) {
        candidate.add(
            Objects.requireNonNull(choice.chosen()).entry(fit.trigger(), choice.expectedSaving()));
      } else {
        refused.add(
            new Refusal(
                "cluster " + choice.cluster().clusterId(),
                String.format(
                    Locale.ROOT,
                    "no trigger parts its problems from others: recall %.2f, misfires %.3f",
                    fit.fit().recall(),
                    fit.fit().misfires())));
      }
    }
    return candidate;
  }

  private HoldoutGate.Gated gate(
      List<Manifest.Entry> candidate, List<Screening.Choice> won, CostCap caps) {
    HoldoutGate gate = new HoldoutGate(setting.sides(), asker, caps, plan);
    if (won.isEmpty()) {
      return gate.sealed(
          candidate.isEmpty()
              ? "no memory was worth its cost on validation; the holdout stays sealed"
              : "nothing new was worth its cost on validation; the holdout stays sealed");
    }
    Curriculum curriculum = setting.curriculum();
    return gate.run(
        candidate,
        Curriculum.shuffled(curriculum.holdout(), plan.seed()),
        Curriculum.shuffled(curriculum.anchor(), plan.seed()).stream()
            .limit(plan.sampling().anchor())
            .toList(),
        context.console(),
        context::stopRequested);
  }

  /** The candidate failed, and something live must go all the same. */
  private HoldoutGate.Gated withoutRetired(HoldoutGate.Gated gated, Screening.Screened screened) {
    return setting
        .live()
        .less(screened.choices(), setting.space())
        .map(
            entries ->
                gated.with(
                    entries,
                    new Verdict.Promote(
                        "retires what is live and does not help any more, adds nothing; of what is"
                            + " new: "
                            + gated.verdict().rule())))
        .orElse(gated);
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
    Map<String, Set<String>> told = new LinkedHashMap<>();
    Stream.concat(setting.memories().all().stream(), setting.live().judged().stream())
        .forEach(
            memory -> {
              if (!setting.clusters().containsKey(memory.clusterId())) {
                told.computeIfAbsent("is not among the clusters of tonight", w -> new TreeSet<>())
                    .add("cluster " + memory.clusterId());
              } else if (memory.adapter() != null && plan.model() == null) {
                told.computeIfAbsent(
                        "the plan names no model directory to measure them with",
                        w -> new TreeSet<>())
                    .add("adapters");
              } else {
                usable.add(memory);
              }
            });
    told.forEach((why, all) -> all.forEach(what -> refused.add(new Refusal(what, why))));
    return usable;
  }
}
