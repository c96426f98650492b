package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Crossing;
import io.knack.consolidation.draft.Draft;
import io.knack.consolidation.draft.DraftGuard;
import io.knack.consolidation.reflect.Replay.Arm;
import io.knack.contracts.Attempt;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Outcome;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the few proposals of a night that are worth a replay: each answers every problem of its
 * lesson once, and the best goes on. Ways that see several cases together also try the best with
 * {@link Crossing other numbers}, one at a time, as long as that gets more answers right. All
 * lessons are screened in one batch a round.
 */
final class Screening {
  private final ReflectPlan plan;
  private final Replay replay;
  private final DraftGuard guard;
  private long crossed;

  Screening(ReflectPlan plan, Replay replay) {
    this.plan = plan;
    this.replay = replay;
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

    /** In the order of arrival; the score is the number of first answers that were right. */
    private final Map<List<Draft>, Runner> runners = new LinkedHashMap<>();

    private long bestBefore = -1;
    private boolean over;

    Race(Lesson lesson, Way way, List<Proposal> proposals) {
      this.lesson = lesson;
      this.way = way;
      List<Example> all = new ArrayList<>(lesson.validation());
      lesson.cases().forEach(one -> all.add(one.example()));
      this.problems = all;
      proposals.forEach(this::enter);
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

  /** The proposals of every lesson and way that go on, the best first. */
  Map<Lesson, Map<Way, List<Proposal>>> best(Map<Lesson, Map<Way, List<Proposal>>> proposals) {
    List<Race> races = new ArrayList<>();
    proposals.forEach(
        (lesson, ways) -> {
          if (lesson.validation().size() >= plan.replaying().least()) {
            ways.forEach((way, offered) -> races.add(new Race(lesson, way, offered)));
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
            ways.put(
                race.way,
                race.ranked().stream()
                    .limit(plan.replaying().drafts())
                    .map(runner -> runner.proposal)
                    .toList());
          }
        });
    return proposals;
  }

  private void run(List<Race> races) {
    List<Arm> arms = new ArrayList<>();
    Map<String, Runner> byName = new LinkedHashMap<>();
    for (Race race : races) {
      for (Runner runner : race.runners.values()) {
        boolean alone = race.runners.size() == 1 && !crosses(race.way);
        if (!race.over && runner.score < 0 && !alone) {
          String name = Integer.toString(arms.size());
          byName.put(name, runner);
          arms.add(new Arm(name, texts(runner.proposal), race.problems));
        }
      }
    }
    Map<String, Replay.Result> results = replay.firstAnswers(arms);
    byName.forEach(
        (name, runner) -> {
          Replay.Result result = results.get(name);
          runner.score = result == null ? 0 : result.passed();
        });
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
        !crosses(race.way)
            || best.score >= race.problems.size()
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
