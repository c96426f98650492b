package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest;
import io.knack.contracts.PriceBook;
import io.knack.contracts.Report.ArmReport;
import io.knack.contracts.Trial;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import io.knack.practice.route.Router;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.hipparchus.distribution.continuous.TDistribution;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the arm of each cluster on the validation split: the one with the highest expected net
 * saving per month, "nothing" among them. All arms' problems are asked in one batch.
 */
final class Screening {
  /** Share of the screened problems that an arm may lose, net: noise of a small sample. */
  private static final double TOLERANCE = 0.1;

  /** Validation problems below which an arm's saving is an anecdote. */
  static final int LEAST_PROBLEMS = 5;

  /** Confidence, one-sided, that a saving is none of chance: the best of many arms is lucky. */
  private static final double CONFIDENCE = 0.9;

  private static final double DAYS_PER_MONTH = 30;

  private final Sides sides;
  private final Asker asker;
  private final PriceBook prices;
  private final EvaluatePlan plan;

  Screening(Sides sides, Asker asker, EvaluatePlan plan) {
    this.sides = sides;
    this.asker = asker;
    this.prices = plan.prices();
    this.plan = plan;
  }

  /**
   * What became of one owner (a cluster, for one tenant or for all).
   *
   * @param tenant whose it is; null for all
   * @param chosen null when nothing is worth its cost
   */
  record Choice(
      Cluster cluster,
      @Nullable TenantId tenant,
      @Nullable Memory chosen,
      double problemsPerMonth,
      double expectedSaving,
      List<ArmReport> arms) {}

  /** All choices, and every trial behind them. */
  record Screened(List<Choice> choices, List<Trial> trials) {}

  /**
   * @param memories all arms
   * @param problems validation problems of each cluster, already sampled
   */
  Screened screen(
      List<Memory> memories,
      Map<ClusterId, Cluster> clusters,
      Map<ClusterId, List<Example>> problems,
      Map<ClusterId, Scope.Fitted> triggers,
      Console console) {
    List<Question> questions = new ArrayList<>();
    Map<String, List<Memory>> byArm = new LinkedHashMap<>();
    memories.forEach(
        memory -> byArm.computeIfAbsent(memory.arm(), a -> new ArrayList<>()).add(memory));
    problems.values().forEach(list -> list.forEach(e -> questions.add(sides.baseline(e))));
    byArm.forEach(
        (arm, ofArm) -> {
          Router router =
              sides.router(
                  ofArm.stream()
                      .filter(memory -> triggers.containsKey(memory.clusterId()))
                      .map(memory -> memory.entry(trigger(triggers, memory.clusterId()), 0))
                      .toList());
          Set<String> routed = new HashSet<>();
          for (Memory memory : ofArm) {
            for (Example example : problems.getOrDefault(memory.clusterId(), List.of())) {
              if (serves(memory, example) && routed.add(example.id().value())) {
                questions.add(sides.routed(example, router, arm).question());
              }
            }
          }
        });
    List<Asker.Answered> answers;
    try (Console.Progress progress =
        console.progress(
            "screening arms", questions.stream().map(Question::asked).distinct().count())) {
      answers = asker.ask(questions, progress);
    }
    Map<String, Map<String, Trial>> trials = new HashMap<>();
    List<Trial> all = new ArrayList<>();
    for (Asker.Answered answer : answers) {
      all.add(answer.trial());
      trials
          .computeIfAbsent(answer.trial().arm(), a -> new HashMap<>())
          .put(answer.trial().example().value(), answer.trial());
    }
    return new Screened(choices(memories, clusters, problems, trials), all);
  }

  private List<Choice> choices(
      List<Memory> memories,
      Map<ClusterId, Cluster> clusters,
      Map<ClusterId, List<Example>> problems,
      Map<String, Map<String, Trial>> trials) {
    Map<String, List<Memory>> owners = new LinkedHashMap<>();
    memories.forEach(
        m ->
            owners
                .computeIfAbsent(m.clusterId() + "\n" + m.tenant(), o -> new ArrayList<>())
                .add(m));
    List<Choice> choices = new ArrayList<>();
    for (List<Memory> arms : owners.values()) {
      Cluster cluster = clusters.get(arms.get(0).clusterId());
      if (cluster == null) {
        continue;
      }
      double perMonth = problemsPerMonth(cluster);
      List<ArmReport> reports = new ArrayList<>();
      for (Memory memory : arms) {
        List<Example> asked =
            problems.getOrDefault(memory.clusterId(), List.of()).stream()
                .filter(example -> serves(memory, example))
                .toList();
        reports.add(report(memory, asked, trials, perMonth));
      }
      @Nullable ArmReport best =
          reports.stream()
              .filter(report -> report.reason() == null)
              .max(Comparator.comparingDouble(ArmReport::netSaving))
              .orElse(null);
      @Nullable Memory chosen =
          best == null
              ? null
              : arms.stream().filter(m -> m.arm().equals(best.arm())).findFirst().orElse(null);
      choices.add(
          new Choice(
              cluster,
              arms.get(0).tenant(),
              chosen,
              perMonth,
              best == null ? 0 : best.netSaving(),
              reports));
    }
    return choices;
  }

  private ArmReport report(
      Memory memory, List<Example> asked, Map<String, Map<String, Trial>> trials, double perMonth) {
    double base = 0;
    double cost = 0;
    double squares = 0;
    long fired = 0;
    long difference = 0;
    for (Example example : asked) {
      Trial b = trial(trials, Memory.BASELINE, example);
      Trial c = trial(trials, memory.arm(), example);
      double before = prices.cost(b.budget());
      double after = prices.cost(c.budget());
      base += before;
      cost += after;
      squares += (before - after) * (before - after);
      fired += c.fired() ? 1 : 0;
      difference +=
          (c.passed() && c.fault() == null ? 1 : 0) - (b.passed() || b.fault() != null ? 1 : 0);
    }
    int n = asked.size();
    double share = base <= 0 ? 0 : 1 - cost / base;
    double net = n == 0 ? 0 : perMonth * (base - cost) / n - memory.carryingCost();
    double mean = n == 0 ? 0 : (base - cost) / n;
    double error = n < 2 ? 0 : Math.sqrt(Math.max(0, squares / n - mean * mean) / (n - 1));
    @Nullable String reason = null;
    if (n < LEAST_PROBLEMS) {
      reason = n + " validation problems, needs " + LEAST_PROBLEMS;
    } else if (fired == 0) {
      reason = "its trigger fires on none of its own problems";
    } else if (-difference > Math.max(1, Math.floor(TOLERANCE * n))) {
      reason = "loses " + -difference + " of " + n + " problems on validation";
    } else if (share < plan.carrying().leastShare()) {
      reason = "saves less than " + Math.round(100 * plan.carrying().leastShare()) + "%";
    } else if (mean <= error * chance(n)) {
      reason = "saves no more than " + n + " problems vary by chance";
    } else if (net <= 0) {
      reason = "saves less than it costs to carry";
    }
    return new ArmReport(
        memory.arm(),
        n,
        fired,
        share,
        n == 0 ? 0 : (double) difference / n,
        memory.carryingCost(),
        net,
        reason);
  }

  /** Standard errors that the mean of so many problems strays by chance. */
  private static double chance(int n) {
    return new TDistribution(n - 1.0).inverseCumulativeProbability(CONFIDENCE);
  }

  private static Trial trial(Map<String, Map<String, Trial>> trials, String arm, Example example) {
    return Objects.requireNonNull(
        Objects.requireNonNull(trials.get(arm), arm).get(example.id().value()), arm);
  }

  private static boolean serves(Memory memory, Example example) {
    return memory.tenant() == null || memory.tenant().equals(example.tenant());
  }

  private static Manifest.Trigger trigger(
      Map<ClusterId, Scope.Fitted> triggers, ClusterId cluster) {
    return Objects.requireNonNull(triggers.get(cluster)).trigger();
  }

  /** At the rate of the days on which the cluster was seen. */
  static double problemsPerMonth(Cluster cluster) {
    long days = ChronoUnit.DAYS.between(cluster.firstDay(), cluster.lastDay()) + 1;
    return cluster.size() * DAYS_PER_MONTH / Math.max(1, days);
  }
}
