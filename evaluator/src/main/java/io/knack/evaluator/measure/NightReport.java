package io.knack.evaluator.measure;

import io.knack.contracts.Budget;
import io.knack.contracts.Cluster;
import io.knack.contracts.Interval;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Report.Comparison;
import io.knack.contracts.Report.EntryReport;
import io.knack.contracts.Report.Refusal;
import io.knack.contracts.Report.ReturnOnInvestment;
import io.knack.contracts.Report.SideBySide;
import io.knack.contracts.Trial;
import io.knack.contracts.Verdict;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.store.ArtifactKind;
import io.knack.practice.solve.Solver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Sums up an evaluation: what was learnt, saved and refused, and what it cost. */
final class NightReport {
  /** Examples of one cluster at most, of each kind. */
  private static final int EACH = 2;

  private final EvaluatePlan plan;
  private final RunId run;
  private final StageInputs inputs;
  private final Solver solver;
  private final Asker asker;
  private final List<String> arms;
  private final CostCap caps;
  private final List<Refusal> refused;

  /**
   * @param arms every arm that was screened, in order
   * @param refused everything that was left out
   */
  NightReport(
      EvaluatePlan plan,
      RunId run,
      StageInputs inputs,
      Solver solver,
      Asker asker,
      List<String> arms,
      CostCap caps,
      List<Refusal> refused) {
    this.plan = plan;
    this.run = run;
    this.inputs = inputs;
    this.solver = solver;
    this.asker = asker;
    this.arms = arms;
    this.caps = caps;
    this.refused = refused;
  }

  /** The report of a night. */
  Report compose(
      Screening.Screened screened, Map<ClusterId, Scope.Fitted> fitted, HoldoutGate.Gated gated) {
    List<Comparison> comparisons = comparisons(screened, gated);
    return new Report(
        run,
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
    for (HoldoutGate.Pair pair : gated.pairs()) {
      Question q = pair.candidate().question();
      cap =
          Math.max(cap, caps.of(q.messages(), q.example().verifier().kind(), q.retrievalMicros()));
    }
    Comparisons all = new Comparisons(plan.prices(), cap, plan.sampling().slices());
    List<Comparison> comparisons = new ArrayList<>();
    Map<String, Trial> baseline = new HashMap<>();
    screened.trials().stream()
        .filter(trial -> trial.arm().equals(Memory.BASELINE))
        .forEach(trial -> baseline.put(trial.example().value(), trial));
    for (String arm : arms) {
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
                      e -> e.clusterId().equals(id) && Objects.equals(e.tenant(), choice.tenant()));
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
              choice.tenant(),
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
    return cluster.exemplars().isEmpty() ? cluster.clusterId().value() : cluster.exemplars().get(0);
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
                        + figure(figures, "device_seconds") / 3600 * plan.carrying().deviceHour());
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
    Map<String, Integer> shown = new HashMap<>();
    int most = plan.sampling().examples();
    for (boolean worse : new boolean[] {true, false}) {
      all.stream()
          .filter(e -> (e.baselinePassed() && !e.candidatePassed()) == worse)
          .sorted(
              Comparator.comparingDouble((SideBySide e) -> e.candidateCost() - e.baselineCost())
                  .thenComparing(e -> e.example().value()))
          .filter(e -> shown.merge(e.cluster() + " " + worse, 1, Integer::sum) <= EACH)
          .limit(worse ? Math.max(1, most / 4) : most)
          .forEach(chosen::add);
    }
    return chosen.stream().limit(most).toList();
  }
}
