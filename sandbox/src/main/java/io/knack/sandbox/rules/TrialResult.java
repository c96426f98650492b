package io.knack.sandbox.rules;

import io.knack.contracts.Rule;
import io.knack.contracts.RuleSet;
import io.knack.contracts.stage.StageRunner;
import io.knack.sandbox.world.HouseRule;
import io.knack.sandbox.world.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;

/** What became of the policies of a trial. */
public final class TrialResult {
  /** Ways of reflecting, as rules name them. */
  public static final List<String> WAYS = List.of("reflect", "multi_case", "update");

  private static final double RIGHT = 0.95;

  private final List<TrialPolicy> policies;
  private final List<StageRunner.Ending> nights;
  private final List<RuleSet> stored;
  private final Map<TrialPolicy, Map<String, Later>> later = new HashMap<>();

  /**
   * Later problems under one arm.
   *
   * @param passed within sixteen samples
   * @param first at the first sample
   * @param cost all-in, in the default price book
   */
  record Later(long problems, long passed, long first, double cost) {
    boolean right() {
      return passed >= RIGHT * problems;
    }

    boolean rightAtFirst() {
      return first >= RIGHT * problems;
    }

    /** Fewer right answers, or as many at a higher cost. */
    boolean worseThan(Later other) {
      return passed < other.passed || (passed == other.passed && cost > other.cost);
    }
  }

  /**
   * A line of the table.
   *
   * @param kind null for all kinds
   * @param way empty for the best of the three
   * @param stored policies with a stored rule
   * @param right policies with a stored rule under which 95% of later problems get the right answer
   * @param rightAtFirst the same with one sample a problem
   * @param rightAlone policies, of all, of whose later problems 95% get the right answer without
   * @param worse policies whose later problems got worse with the stored rule
   * @param firstShare of later problems that the first sample answers, under stored rules
   * @param firstAlone the same policies without
   */
  public record Row(
      String kind,
      String way,
      long policies,
      long stored,
      long right,
      long rightAtFirst,
      long rightAlone,
      long worse,
      double firstShare,
      double firstAlone) {}

  TrialResult(List<TrialPolicy> policies, List<StageRunner.Ending> nights, List<RuleSet> stored) {
    this.policies = policies;
    this.nights = nights;
    this.stored = stored;
  }

  void add(TrialPolicy policy, String way, Later measured) {
    later.computeIfAbsent(policy, p -> new HashMap<>()).put(way, measured);
  }

  /** By kind and way, then over kinds. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (Kind kind : Kind.HOUSE) {
      List<TrialPolicy> some = policies.stream().filter(p -> p.kind() == kind).toList();
      WAYS.forEach(way -> rows.add(row(kind.word(), way, some)));
      rows.add(row(kind.word(), "any", some));
    }
    List<TrialPolicy> asked =
        policies.stream()
            .filter(
                p ->
                    switch (p.kind()) {
                      case SHIPPING, DISCOUNT, WRAPPING, DELIVERY -> true;
                      case EXCHANGE, MEMBERSHIP, PLAIN -> false;
                    })
            .toList();
    WAYS.forEach(way -> rows.add(row("constant_or_threshold", way, asked)));
    rows.add(row("constant_or_threshold", "any", asked));
    WAYS.forEach(way -> rows.add(row("all", way, policies)));
    rows.add(row("all", "any", policies));
    return rows;
  }

  private Row row(String kind, String way, List<TrialPolicy> some) {
    long have = 0;
    long right = 0;
    long rightAtFirst = 0;
    long rightAlone = 0;
    long worse = 0;
    long first = 0;
    long alone = 0;
    long problems = 0;
    for (TrialPolicy policy : some) {
      Map<String, Later> arms = later.getOrDefault(policy, Map.of());
      Later base = Objects.requireNonNull(arms.get(""));
      rightAlone += base.right() ? 1 : 0;
      List<Later> with =
          way.equals("any")
              ? WAYS.stream().map(arms::get).filter(Objects::nonNull).toList()
              : arms.containsKey(way) ? List.of(Objects.requireNonNull(arms.get(way))) : List.of();
      if (with.isEmpty()) {
        continue;
      }
      have++;
      right += with.stream().anyMatch(Later::right) ? 1 : 0;
      rightAtFirst += with.stream().anyMatch(Later::rightAtFirst) ? 1 : 0;
      worse += with.stream().anyMatch(w -> w.worseThan(base)) ? 1 : 0;
      for (Later one : with) {
        first += one.first();
        alone += base.first();
        problems += one.problems();
      }
    }
    return new Row(
        kind,
        way,
        some.size(),
        have,
        right,
        rightAtFirst,
        rightAlone,
        worse,
        problems == 0 ? 0 : (double) first / problems,
        problems == 0 ? 0 : (double) alone / problems);
  }

  /** Stored rules, each policy and way once, and those under which later problems got worse. */
  public long storedRules() {
    return later.values().stream().mapToLong(arms -> arms.size() - 1L).sum();
  }

  /** Of {@link #storedRules}. */
  public long worseRules() {
    long worse = 0;
    for (Map<String, Later> arms : later.values()) {
      Later base = Objects.requireNonNull(arms.get(""));
      worse += arms.values().stream().filter(one -> one.worseThan(base)).count();
    }
    return worse;
  }

  public long poisonedPolicies() {
    return policies.stream().filter(TrialPolicy::poisoned).count();
  }

  /** Poisoned policies of which a rule said, after any night, what the wrong answers followed. */
  public long saidThePoison() {
    return policies.stream()
        .filter(TrialPolicy::poisoned)
        .filter(p -> stored.stream().anyMatch(night -> says(night, p, p.poison())))
        .count();
  }

  /**
   * A policy that drifted.
   *
   * @param withOld whether a rule said the old constants after each night
   * @param withNew whether one said the new constants
   */
  public record Drifted(
      String kind, String before, String after, List<Boolean> withOld, List<Boolean> withNew) {}

  public List<Drifted> drifted() {
    return policies.stream()
        .filter(TrialPolicy::drifts)
        .map(
            p ->
                new Drifted(
                    p.kind().word(),
                    p.before().text(),
                    p.after().text(),
                    stored.stream().map(night -> says(night, p, p.before())).toList(),
                    stored.stream().map(night -> says(night, p, p.after())).toList()))
        .toList();
  }

  private static boolean says(RuleSet rules, TrialPolicy policy, HouseRule rule) {
    return rules.rules().stream()
        .filter(r -> r.clusterId().equals(policy.cluster()))
        .map(Rule::then)
        .anyMatch(rule.text()::equals);
  }

  /** What the stage said of each night. */
  public List<SortedMap<String, Object>> figures() {
    return nights.stream().map(StageRunner.Ending::figures).toList();
  }
}
