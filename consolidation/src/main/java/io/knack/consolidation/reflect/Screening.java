package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Crossing;
import io.knack.consolidation.draft.Draft;
import io.knack.consolidation.draft.DraftGuard;
import io.knack.consolidation.reflect.Replay.Arm;
import io.knack.consolidation.reflect.Replay.Result;
import io.knack.contracts.Attempt;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Outcome;
import io.knack.contracts.Rule;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Finds which proposals of a night are worth a replay: each answers every problem of its lesson
 * once, the newer half counting twice, and the best come first. Ways that see several cases
 * together also try the best with {@link Crossing other numbers}, one at a time, as long as that
 * gets more answers right; a live rule is tried with tonight's numbers in every way. All lessons
 * are screened in one batch a round.
 */
final class Screening {
  private final ReflectPlan plan;
  private final Replay replay;
  private final DraftGuard guard;
  private final BiFunction<Lesson, Way, List<Rule>> known;
  private long crossed;

  /**
   * @param known the live rules of a lesson and way
   */
  Screening(ReflectPlan plan, Replay replay, BiFunction<Lesson, Way, List<Rule>> known) {
    this.plan = plan;
    this.replay = replay;
    this.known = known;
    this.guard = new DraftGuard(plan.drafting().maxCharacters());
  }

  /** Variants with other numbers that were tried. */
  long crossed() {
    return crossed;
  }

  /** One lesson and way under way. */
  private static final class Race {
    private final Lesson lesson;
    private final Way way;
    private final List<Example> problems;
    private final Set<ExampleId> newer = new HashSet<>();

    /** The rule that is live, where it is one. */
    private final @Nullable Rule live;

    /** In the order of arrival. */
    private final Map<List<Draft>, Runner> runners = new LinkedHashMap<>();

    private long bestBefore = -1;
    private boolean over;

    Race(Lesson lesson, Way way, List<Proposal> proposals, List<Rule> known) {
      this.lesson = lesson;
      this.way = way;
      List<Example> all = new ArrayList<>(lesson.validation());
      lesson.cases().forEach(one -> all.add(one.example()));
      this.problems = all;
      newer.addAll(lesson.newer(0));
      newer.addAll(lesson.newerCases());
      proposals.forEach(this::enter);
      live = known.size() == 1 ? known.get(0) : null;
      if (live != null) {
        enter(new Proposal(List.of(draft(live)), live.evidence(), 0));
      }
    }

    /** First answers that were right, the newer ones counted twice. */
    long score(@Nullable Result result) {
      return result == null ? 0 : result.passed() + result.on(newer).passed();
    }

    long bestScore() {
      return (long) problems.size() + newer.size();
    }

    boolean ledByTheLive() {
      return live != null && ranked().get(0).proposal.drafts().equals(List.of(draft(live)));
    }

    void enter(Proposal proposal) {
      runners.putIfAbsent(proposal.drafts(), new Runner(proposal));
    }

    List<Runner> ranked() {
      return runners.values().stream()
          .sorted(
              Comparator.comparingLong((Runner r) -> r.score)
                  .thenComparingInt(r -> r.proposal.votes())
                  .reversed())
          .toList();
    }
  }

  private static final class Runner {
    private final Proposal proposal;
    private long score = -1;

    Runner(Proposal proposal) {
      this.proposal = proposal;
    }
  }

  private static Draft draft(Rule rule) {
    return new Draft(rule.when(), rule.then(), rule.scope());
  }

  /** The proposals of every lesson and way, the best first. */
  Map<Lesson, Map<Way, List<Proposal>>> ranked(Map<Lesson, Map<Way, List<Proposal>>> proposals) {
    List<Race> races = new ArrayList<>();
    proposals.forEach(
        (lesson, ways) -> {
          for (Way way : plan.ways()) {
            List<Proposal> offered = ways.getOrDefault(way, List.of());
            List<Rule> live = known.apply(lesson, way);
            if (!offered.isEmpty() || !live.isEmpty()) {
              races.add(new Race(lesson, way, offered, live));
            }
          }
        });
    for (int round = 0; round <= plan.replaying().crossings(); round++) {
      run(races);
      if (round < plan.replaying().crossings()) {
        races.forEach(this::cross);
      }
    }
    races.forEach(
        race -> {
          Map<Way, List<Proposal>> ways = proposals.get(race.lesson);
          if (ways != null) {
            ways.put(race.way, race.ranked().stream().map(runner -> runner.proposal).toList());
          }
        });
    return proposals;
  }

  private void run(List<Race> races) {
    List<Arm> arms = new ArrayList<>();
    record Entered(Race race, Runner runner) {}
    Map<String, Entered> byName = new LinkedHashMap<>();
    for (Race race : races) {
      for (Runner runner : race.runners.values()) {
        boolean alone = race.runners.size() == 1 && race.live == null && !crosses(race.way);
        if (!race.over && runner.score < 0 && !alone) {
          String name = Integer.toString(arms.size());
          byName.put(name, new Entered(race, runner));
          arms.add(new Arm(name, texts(runner.proposal), race.problems));
        }
      }
    }
    Map<String, Result> results = replay.firstAnswers(arms);
    byName.forEach((name, one) -> one.runner().score = one.race().score(results.get(name)));
  }

  private static List<RuleText> texts(Proposal proposal) {
    List<RuleText> texts = new ArrayList<>();
    for (Draft draft : proposal.drafts()) {
      texts.add(draft.text(new RuleId("draft-" + texts.size())));
    }
    return texts;
  }

  /** One case has nothing to be crossed with. */
  private static boolean crosses(Way way) {
    return switch (way) {
      case REFLECT -> false;
      case MULTI_CASE, UPDATE -> true;
    };
  }

  /** Enters variants of the leader, unless it is perfect or no better than a round ago. */
  private void cross(Race race) {
    if (race.over || race.runners.isEmpty()) {
      return;
    }
    Runner best = race.ranked().get(0);
    race.over =
        !(crosses(race.way) || race.ledByTheLive())
            || best.score >= race.bestScore()
            || best.score <= race.bestBefore
            || best.proposal.drafts().size() != 1;
    race.bestBefore = best.score;
    if (race.over) {
      return;
    }
    List<String> evidence = new ArrayList<>();
    List<String> accepted = new ArrayList<>();
    for (Lesson.SolvedCase one : race.lesson.cases()) {
      evidence.add(one.solved().problem());
      for (Attempt attempt : one.solved().attempts()) {
        evidence.add(attempt.text());
        if (attempt.outcome() == Outcome.VERIFIED) {
          accepted.add(attempt.text());
        }
      }
    }
    for (Runner runner : race.runners.values()) {
      runner.proposal.drafts().forEach(draft -> accepted.add(draft.then()));
    }
    Rule live = race.live;
    if (live != null) {
      // Its words and numbers stood in its own evidence; one at a time, they are nothing to copy.
      evidence.addAll(List.of(draft(live).words().split("\\s+", -1)));
    }
    List<ExampleId> cases = race.lesson.cases().stream().map(Lesson.SolvedCase::id).toList();
    for (Draft variant :
        Crossing.variants(best.proposal.drafts().get(0), accepted, plan.replaying().variants())) {
      if (guard.refuse(variant, evidence).isEmpty()) {
        int before = race.runners.size();
        race.enter(new Proposal(List.of(variant), cases, 0));
        crossed += race.runners.size() - before;
      }
    }
  }
}
