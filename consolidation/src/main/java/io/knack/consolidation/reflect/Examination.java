package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Draft;
import io.knack.consolidation.draft.Rejection;
import io.knack.consolidation.ledger.LedgerNight;
import io.knack.consolidation.ledger.RuleBook;
import io.knack.consolidation.reflect.Replay.Arm;
import io.knack.consolidation.reflect.Replay.Result;
import io.knack.consolidation.reflect.Replay.Saving;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Rule;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.store.Digests;
import io.knack.practice.prompt.Prompts;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Replays the live rules and the proposals of a night and enters what came of it.
 *
 * <p>Per cluster, tenant and way these arms are solved on the cluster's validation problems: no
 * rules; the live rules; the live rules but for one, for each of them, which gives each its credit;
 * each proposal alone; each proposal beside the live rules. A live rule without which things go
 * better is retired, also when that shows on the newer half of the problems only. A proposal enters
 * when it beats the live rules that are left, in their place or, where none speaks of the same
 * occasion, beside them: by what it saves, or because it passes what they pass and more, on all
 * problems or on the newer half. Before that it is tried on problems of other clusters that look
 * like this one's.
 */
final class Examination {
  private final ReflectPlan plan;
  private final Replay replay;
  private final LedgerNight night;
  private final Instant at;
  private final ToLongFunction<String> tokens;
  private final Function<Lesson, List<Example>> strangers;
  private final DraftReader rejections;

  Examination(
      ReflectPlan plan,
      Replay replay,
      LedgerNight night,
      Instant at,
      ToLongFunction<String> tokens,
      Function<Lesson, List<Example>> strangers,
      DraftReader rejections) {
    this.plan = plan;
    this.replay = replay;
    this.night = night;
    this.at = at;
    this.tokens = tokens;
    this.strangers = strangers;
    this.rejections = rejections;
  }

  /** A proposal with the ids and texts of its rules. */
  private record Candidate(Proposal proposal, List<RuleText> texts) {
    static Candidate of(Lesson lesson, Way way, Proposal proposal) {
      return new Candidate(
          proposal, proposal.drafts().stream().map(d -> d.text(id(lesson, way, d))).toList());
    }

    Set<RuleId> ids() {
      Set<RuleId> ids = new HashSet<>();
      texts.forEach(text -> ids.add(text.id()));
      return ids;
    }
  }

  /** What one lesson and way has to show. */
  private record Case(
      String key, Lesson lesson, Way way, List<Rule> live, List<Candidate> candidates) {}

  /** The same rule of the same shelf has the same id for ever. */
  static RuleId id(Lesson lesson, Way way, Draft draft) {
    String text =
        lesson.cluster()
            + "\n"
            + (lesson.tenant() == null ? "" : lesson.tenant().value())
            + "\n"
            + way.wire()
            + "\n"
            + (draft.when() + "\n" + draft.then()).toLowerCase(Locale.ROOT).replaceAll("\\s+", " ");
    return new RuleId("rule-" + Digests.sha256(text).substring(0, 16));
  }

  void run(RuleBook book, Map<Lesson, Map<Way, List<Proposal>>> proposals) {
    List<Case> cases = new ArrayList<>();
    List<Arm> arms = new ArrayList<>();
    int number = 0;
    for (Map.Entry<Lesson, Map<Way, List<Proposal>>> entry : proposals.entrySet()) {
      Lesson lesson = entry.getKey();
      String prefix = number++ + "/";
      boolean base = false;
      for (Way way : plan.ways()) {
        List<Rule> live = night.rules(lesson.shelf(way));
        List<Candidate> candidates = candidates(book, lesson, way, entry.getValue());
        if (live.isEmpty() && candidates.isEmpty()) {
          continue;
        }
        if (!base) {
          arms.add(new Arm(prefix, List.of(), lesson.validation()));
          base = true;
        }
        Case one = new Case(prefix + way.wire() + "/", lesson, way, live, candidates);
        cases.add(one);
        addArms(one, arms);
      }
    }
    Map<String, Result> results = replay.run(arms);
    Map<Case, Choice> chosen = new LinkedHashMap<>();
    for (Case one : cases) {
      judge(one, results, chosen);
    }
    admit(chosen);
  }

  private List<Candidate> candidates(
      RuleBook book, Lesson lesson, Way way, Map<Way, List<Proposal>> proposals) {
    List<Candidate> candidates = new ArrayList<>();
    for (Proposal proposal : proposals.getOrDefault(way, List.of())) {
      Candidate candidate = Candidate.of(lesson, way, proposal);
      if (candidate.ids().stream().allMatch(book::isLive)) {
        rejections.reject(Rejection.KNOWN);
      } else if (candidates.size() < plan.replaying().drafts()) {
        candidates.add(candidate);
      }
    }
    return candidates;
  }

  private void addArms(Case one, List<Arm> arms) {
    List<Example> problems = one.lesson().validation();
    List<RuleText> live = texts(one.live());
    if (!live.isEmpty()) {
      arms.add(new Arm(one.key() + "live", live, problems));
    }
    if (live.size() > 1) {
      for (int i = 0; i < live.size(); i++) {
        arms.add(new Arm(one.key() + "without" + i, without(live, Set.of(i)), problems));
      }
    }
    for (int i = 0; i < one.candidates().size(); i++) {
      List<RuleText> fresh = one.candidates().get(i).texts();
      arms.add(new Arm(one.key() + "alone" + i, fresh, problems));
      // What says something else of the same occasion contradicts: one of the two may stand.
      if (!live.isEmpty() && live.stream().noneMatch(old -> sameOccasion(old, fresh))) {
        List<RuleText> both = new ArrayList<>(live);
        both.addAll(fresh);
        arms.add(new Arm(one.key() + "beside" + i, both, problems));
      }
    }
  }

  private static boolean sameOccasion(RuleText old, List<RuleText> fresh) {
    String occasion = old.when().strip();
    return fresh.stream().anyMatch(text -> text.when().strip().equalsIgnoreCase(occasion));
  }

  private static List<RuleText> texts(List<Rule> rules) {
    return rules.stream().map(r -> new RuleText(r.id(), r.when(), r.then())).toList();
  }

  private static List<RuleText> without(List<RuleText> texts, Set<Integer> left) {
    List<RuleText> rest = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      if (!left.contains(i)) {
        rest.add(texts.get(i));
      }
    }
    return rest;
  }

  /**
   * A candidate that beats what is live.
   *
   * @param replaces whether it takes its place
   * @param saving over what is live, on the problems that let it in
   * @param problems how many those are
   * @param lead over what is live on all problems, the newer half counted twice
   */
  private record Choice(
      Candidate candidate, boolean replaces, Saving saving, int problems, long lead) {}

  /**
   * What a case comes to tonight.
   *
   * @param live under the live rules that are left
   * @param base under none
   * @param contradicted whether a live rule had to go
   */
  private record Current(Result live, Result base, boolean contradicted) {}

  private void judge(Case one, Map<String, Result> results, Map<Case, Choice> chosen) {
    Current current = current(one, results);
    Choice best = null;
    for (int i = 0; i < one.candidates().size(); i++) {
      for (boolean replaces : new boolean[] {true, false}) {
        Result with = results.get(one.key() + (replaces ? "alone" : "beside") + i);
        if (with == null) {
          continue;
        }
        Choice choice = choice(one, one.candidates().get(i), replaces, with, current);
        if (choice != null && (best == null || better(choice, best))) {
          best = choice;
        }
      }
    }
    for (Candidate candidate : one.candidates()) {
      if (best == null || !candidate.equals(best.candidate())) {
        rejections.reject(Rejection.NO_HELP);
      }
    }
    if (best != null) {
      chosen.put(one, best);
    }
  }

  /** Credits the live rules and retires those that harm. */
  private Current current(Case one, Map<String, Result> results) {
    Result base = result(results, one.key().substring(0, one.key().indexOf('/') + 1));
    if (one.live().isEmpty()) {
      return new Current(base, base, false);
    }
    Set<ExampleId> newer = one.lesson().newer(plan.replaying().least());
    Result live = result(results, one.key() + "live");
    int harmful = 0;
    Result without = live;
    for (int i = 0; i < one.live().size(); i++) {
      RuleId id = one.live().get(i).id();
      Result left = one.live().size() == 1 ? base : result(results, one.key() + "without" + i);
      Saving credit = live.over(left);
      Saving lately = live.on(newer).over(left.on(newer));
      night.credit(id, credit.helped(), credit.harmed(), credit.tokens());
      if (credit.harms(plan.replaying()) || lately.failsMore()) {
        boolean always = credit.harms(plan.replaying());
        night.retireHarmful(
            id,
            (always ? credit : lately).harmed()
                + " of "
                + (always ? live.outcomes().size() + " validation" : newer.size() + " newer")
                + " problems are better without it");
        harmful++;
        without = left;
      }
    }
    // After several retirements what is left was not replayed together: compare with nothing.
    return new Current(harmful == 0 ? live : harmful == 1 ? without : base, base, harmful > 0);
  }

  /** A candidate that may enter, or null. */
  private @Nullable Choice choice(
      Case one, Candidate candidate, boolean replaces, Result with, Current current) {
    Set<ExampleId> newer = one.lesson().newer(plan.replaying().least());
    Saving saving = with.over(current.live());
    Saving lately = with.on(newer).over(current.live().on(newer));
    long lead = saving.passes() + lately.passes();
    boolean rival = !one.live().isEmpty();
    if (with.over(current.base()).earns(plan.replaying())
        && (saving.earns(plan.replaying()) || (rival && saving.corrects()))) {
      return new Choice(candidate, replaces, saving, one.lesson().validation().size(), lead);
    }
    if (rival
        && with.on(newer).over(current.base().on(newer)).earns(plan.replaying())
        && (lately.corrects() || (current.contradicted() && lately.earns(plan.replaying())))) {
      return new Choice(candidate, replaces, lately, newer.size(), lead);
    }
    return null;
  }

  private static Result result(Map<String, Result> results, String name) {
    Result result = results.get(name);
    if (result == null) {
      throw new IllegalStateException("arm " + name + " was not replayed");
    }
    return result;
  }

  private static boolean better(Choice a, Choice b) {
    return Comparator.comparingLong(Choice::lead)
            .thenComparingDouble((Choice c) -> c.saving().share())
            .compare(a, b)
        > 0;
  }

  /** Those that leave look-alikes of other clusters alone enter. */
  private void admit(Map<Case, Choice> chosen) {
    List<Arm> arms = new ArrayList<>();
    Map<Case, String> names = new LinkedHashMap<>();
    for (Map.Entry<Case, Choice> entry : chosen.entrySet()) {
      List<Example> others = strangers.apply(entry.getKey().lesson());
      if (!others.isEmpty()) {
        String name = "stranger" + names.size() + "/";
        names.put(entry.getKey(), name);
        arms.add(new Arm(name + "base", List.of(), others));
        arms.add(new Arm(name + "with", entry.getValue().candidate().texts(), others));
      }
    }
    Map<String, Result> results = replay.run(arms);
    chosen.forEach(
        (one, choice) -> {
          String name = names.get(one);
          if (name != null
              && result(results, name + "with")
                  .over(result(results, name + "base"))
                  .harms(plan.replaying())) {
            rejections.reject(Rejection.HARMS_OTHERS);
          } else {
            enter(one, choice);
          }
        });
  }

  private void enter(Case one, Choice choice) {
    Proposal proposal = choice.candidate().proposal();
    Prompts prompts = Prompts.of(plan.solver().form());
    Set<RuleId> fresh = choice.candidate().ids();
    List<Rule> before = night.rules(one.lesson().shelf(one.way()));
    String reason =
        String.format(
            Locale.ROOT,
            "replayed on %d problems: saves %.0f%% of the cost, %d more passed",
            choice.problems(),
            100 * choice.saving().share(),
            choice.saving().passes());
    for (int i = 0; i < proposal.drafts().size(); i++) {
      Draft draft = proposal.drafts().get(i);
      RuleText text = choice.candidate().texts().get(i);
      night.learn(
          new Rule(
              text.id(),
              one.lesson().cluster(),
              one.lesson().tenant(),
              one.way().wire(),
              draft.when(),
              draft.then(),
              draft.scope(),
              proposal.evidence(),
              choice.saving().helped(),
              choice.saving().harmed(),
              choice.saving().tokens() / proposal.drafts().size(),
              tokens.applyAsLong(prompts.ruleLine(text)),
              at,
              null),
          reason);
    }
    if (choice.replaces()) {
      RuleId successor = choice.candidate().texts().get(0).id();
      for (Rule old : before) {
        if (!fresh.contains(old.id())) {
          night.supersede(old.id(), successor, reason);
        }
      }
    }
  }
}
