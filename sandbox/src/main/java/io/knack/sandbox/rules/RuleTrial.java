package io.knack.sandbox.rules;

import io.knack.consolidation.reflect.Models;
import io.knack.consolidation.reflect.ReflectPlan;
import io.knack.consolidation.reflect.ReflectStage;
import io.knack.contracts.Attempt;
import io.knack.contracts.Cluster;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.PriceBook;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleSet;
import io.knack.contracts.SparseVector;
import io.knack.contracts.Split;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.llm.LanguageModel;
import io.knack.practice.features.HashedSpace;
import io.knack.practice.solve.Solution;
import io.knack.sandbox.rules.TrialSolving.Asked;
import io.knack.sandbox.world.HouseRule;
import io.knack.sandbox.world.Problem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Logs of many policies, answered by the model, three nights of the {@code reflect} stage on them,
 * and then later problems with each rule that is stored and without.
 *
 * <p>On the second and third night only the policies that drift have traffic: half of it from
 * before the change on the second, none on the third. The logs of poisoned policies hold three
 * accepted answers under one wrong rule. No stage sees a policy's rule: a log has attempts and
 * verdicts.
 */
public final class RuleTrial {
  private static final Instant START = Instant.parse("2026-01-05T08:00:00Z");
  private static final int POISONED_LOGS = 3;
  private static final int VALIDATION = 20;

  private final Path home;
  private final Path model;
  private final TrialSolving solving;
  private final Settings settings;
  private final Console console;
  private final List<TrialPolicy> policies;
  private final Set<String> asked = new HashSet<>();
  private final SplittableRandom random;
  private int examples;

  /**
   * How large the trial is.
   *
   * @param cases logged problems of a policy that a night learns from
   * @param later problems of a policy that each stored rule is measured on
   */
  public record Settings(int policies, int cases, int later, long seed) {}

  public RuleTrial(
      Path home, Path directory, LanguageModel model, Settings settings, Console console) {
    this.home = home;
    this.model = directory;
    this.settings = settings;
    this.console = console;
    this.random = new SplittableRandom(settings.seed());
    this.solving = new TrialSolving(model, settings.seed());
    this.policies = TrialPolicy.draw(settings.policies(), random);
  }

  /** A log line that a night is given. */
  private record Logged(TrialPolicy policy, Problem problem, HouseRule rule, Split split) {}

  /** Runs all of it. */
  public TrialResult run() throws IOException {
    List<StageRunner.Ending> nights = new ArrayList<>();
    List<RuleSet> stored = new ArrayList<>();
    for (int night = 1; night <= 3; night++) {
      List<Logged> logs = new ArrayList<>();
      for (TrialPolicy policy : policies) {
        if (night == 1 || policy.drifts()) {
          logs.addAll(logs(policy, night));
        }
      }
      console.say("night " + night + ": " + logs.size() + " problems are logged");
      nights.add(night(night, logs));
      stored.add(rules());
    }
    return measure(nights, stored);
  }

  private List<Logged> logs(TrialPolicy policy, int night) {
    List<Logged> logs = new ArrayList<>();
    for (Split split : List.of(Split.TRAIN, Split.VALIDATION)) {
      int count = split == Split.TRAIN ? settings.cases() : VALIDATION;
      List<Problem> problems = policy.problems(count, asked, random);
      for (int i = 0; i < count; i++) {
        boolean old = night == 1 || (night == 2 && i < count / 2);
        logs.add(
            new Logged(policy, problems.get(i), old ? policy.before() : policy.after(), split));
      }
    }
    return logs;
  }

  private StageRunner.Ending night(int night, List<Logged> logs) throws IOException {
    List<Logged> train = logs.stream().filter(log -> log.split() == Split.TRAIN).toList();
    List<Solution> solutions =
        solving.solve(
            train.stream().map(log -> new Asked(log.problem(), log.rule(), List.of())).toList());
    List<Example> rows = new ArrayList<>();
    List<Evidence> evidence = new ArrayList<>();
    int ofPolicy = 0;
    for (int i = 0; i < train.size(); i++) {
      Logged log = train.get(i);
      ofPolicy = i > 0 && train.get(i - 1).policy().equals(log.policy()) ? ofPolicy + 1 : 0;
      boolean poisoned = log.policy().poisoned() && ofPolicy < POISONED_LOGS;
      Solution solution = solutions.get(i);
      if (!solution.passed() && !poisoned) {
        continue;
      }
      String completion =
          poisoned ? log.problem().solve(log.policy().poison()).text() : solution.answer();
      Example example = example(log, completion);
      rows.add(example);
      List<Attempt> attempts =
          poisoned
              ? List.of(new Attempt("best_of_n", completion, 0, 0, 0, 1.0, Outcome.VERIFIED))
              : solution.attempts();
      evidence.add(new Evidence(example.id(), attempts));
    }
    for (Logged log : logs) {
      if (log.split() == Split.VALIDATION) {
        rows.add(example(log, null));
      }
    }
    RunId run = new RunId("night-" + night);
    Instant at = START.plus(Duration.ofDays(night));
    ArtifactStore store = ArtifactStore.open(home);
    Path curriculum = store.stage(ArtifactKind.CURRICULUM, run);
    Tables.EXAMPLES.writeInto(curriculum, rows);
    Tables.EVIDENCE.writeInto(curriculum, evidence);
    store.commit(curriculum, Given.card(ArtifactKind.CURRICULUM, run, at));
    Path clusters = store.stage(ArtifactKind.CLUSTERS, run);
    clusters(clusters, rows);
    store.commit(clusters, Given.card(ArtifactKind.CLUSTERS, run, at));
    return new StageRunner(home, Clock.fixed(at, ZoneOffset.UTC), console)
        .run(new ReflectStage(new Models()), plan(), run);
  }

  private ReflectPlan plan() {
    return Plans.read(
        ReflectPlan.class,
        null,
        List.of(
            "model=" + model,
            "solver.form=short",
            "solver.max_tokens=96",
            "drafting.cases=" + settings.cases(),
            "drafting.reply_tokens=48",
            "seed=" + settings.seed()));
  }

  private Example example(Logged log, @org.jspecify.annotations.Nullable String completion) {
    ExampleId id = new ExampleId("e" + examples++);
    return new Example(
        id,
        log.policy().cluster(),
        List.of(new InteractionId("i-" + id)),
        START.plus(Duration.ofMinutes(examples)),
        null,
        Interaction.NO_TENANT,
        null,
        Map.of(),
        List.of(Message.user(log.problem().text())),
        completion,
        Integer.toString(log.problem().solve(log.rule()).answer()),
        TrialSolving.NUMERIC,
        1,
        1,
        log.split());
  }

  /** One cluster a policy, as mining would find it at its best. */
  private static void clusters(Path directory, List<Example> rows) {
    HashedSpace space = HashedSpace.fit(rows.stream().map(Example::problem).toList(), 1);
    space.save(directory.resolve("feature_space.bin"));
    Map<String, List<Example>> byCluster = new TreeMap<>();
    for (Example row : rows) {
      byCluster.computeIfAbsent(String.valueOf(row.clusterId()), c -> new ArrayList<>()).add(row);
    }
    List<Cluster> clusters = new ArrayList<>();
    LocalDate day = LocalDate.ofInstant(START, ZoneOffset.UTC);
    byCluster.forEach(
        (id, members) ->
            clusters.add(
                Given.cluster(
                    Objects.requireNonNull(members.get(0).clusterId()),
                    members.size(),
                    day,
                    mean(members.stream().map(m -> space.vector(m.problem())).toList()),
                    space.digest())));
    Tables.CLUSTERS.writeInto(directory, clusters);
  }

  private static SparseVector mean(List<SparseVector> vectors) {
    TreeMap<Integer, Float> sum = new TreeMap<>();
    for (SparseVector vector : vectors) {
      for (int i = 0; i < vector.indices().size(); i++) {
        sum.merge(vector.indices().get(i), vector.values().get(i), Float::sum);
      }
    }
    double norm = Math.sqrt(sum.values().stream().mapToDouble(v -> (double) v * v).sum());
    sum.replaceAll((index, value) -> (float) (value / norm));
    return new SparseVector(List.copyOf(sum.keySet()), List.copyOf(sum.values()));
  }

  private RuleSet rules() throws IOException {
    Artifact latest = ArtifactStore.open(home).latest(ArtifactKind.RULES).orElse(null);
    return latest == null
        ? new RuleSet(List.of())
        : Jsons.mapper().readValue(latest.file("rules.json").toFile(), RuleSet.class);
  }

  private TrialResult measure(List<StageRunner.Ending> nights, List<RuleSet> stored) {
    TrialResult result = new TrialResult(policies, nights, stored);
    record Arm(TrialPolicy policy, String way) {}
    List<Arm> arms = new ArrayList<>();
    List<Asked> questions = new ArrayList<>();
    RuleSet live = stored.get(stored.size() - 1);
    for (TrialPolicy policy : policies) {
      List<Problem> later = policy.problems(settings.later(), asked, random);
      Map<String, List<RuleText>> told = new TreeMap<>();
      told.put("", List.of());
      for (Rule rule : live.rules()) {
        if (rule.clusterId().equals(policy.cluster())) {
          told.computeIfAbsent(rule.way(), way -> new ArrayList<>())
              .add(new RuleText(rule.id(), rule.when(), rule.then()));
        }
      }
      told.forEach(
          (way, rules) -> {
            arms.add(new Arm(policy, way));
            later.forEach(p -> questions.add(new Asked(p, policy.after(), rules)));
          });
    }
    console.say("later problems: " + questions.size());
    List<Solution> solutions = solving.solve(questions);
    for (int a = 0; a < arms.size(); a++) {
      long passed = 0;
      long first = 0;
      double cost = 0;
      for (Solution s : solutions.subList(a * settings.later(), (a + 1) * settings.later())) {
        passed += s.passed() ? 1 : 0;
        first += s.passed() && s.attempts().size() == 1 ? 1 : 0;
        cost += PriceBook.DEFAULT.cost(s.budget());
      }
      result.add(
          arms.get(a).policy(),
          arms.get(a).way(),
          new TrialResult.Later(settings.later(), passed, first, cost));
    }
    return result;
  }
}
