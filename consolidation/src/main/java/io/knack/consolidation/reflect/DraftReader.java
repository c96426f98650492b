package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Draft;
import io.knack.consolidation.draft.DraftGuard;
import io.knack.consolidation.draft.DraftParser;
import io.knack.consolidation.draft.Injections;
import io.knack.consolidation.draft.Rejection;
import io.knack.consolidation.draft.SharedWording;
import io.knack.contracts.Attempt;
import io.knack.contracts.Example;
import io.knack.practice.prompt.PromptForm;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads replies strictly into drafts that may be replayed, and counts what is refused and why. */
final class DraftReader {
  private final PromptForm form;
  private final DraftParser parser;
  private final DraftGuard guard;
  private final SharedWording wording = new SharedWording();
  private final Map<Lesson, List<String>> problems = new HashMap<>();
  private final Map<Rejection, Long> rejected = new EnumMap<>(Rejection.class);
  private long reworded;

  DraftReader(ReflectPlan plan) {
    this.form = plan.solver().form();
    this.parser = new DraftParser(form, plan.drafting().maxRules());
    this.guard = new DraftGuard(plan.drafting().maxCharacters());
  }

  /** Takes in the words of a lesson's problems; all lessons come before the first reply. */
  void know(Lesson lesson) {
    List<String> own = new ArrayList<>();
    lesson.cases().forEach(one -> own.add(one.solved().problem()));
    lesson.validation().stream().map(Example::problem).forEach(own::add);
    problems.put(lesson, own);
    wording.count(own);
  }

  /** Refusals by reason, all ways together. */
  Map<Rejection, Long> rejected() {
    return rejected;
  }

  void reject(Rejection why) {
    rejected.merge(why, 1L, Long::sum);
  }

  /** Drafts whose occasion was put in the evidence's words. */
  long reworded() {
    return reworded;
  }

  /** The drafts of a reply when every one of them may be replayed. */
  Optional<Proposal> read(
      String reply, Lesson lesson, List<Lesson.SolvedCase> cases, List<String> knownRules) {
    Optional<List<Draft>> drafts = parser.parse(reply);
    if (drafts.isEmpty()) {
      reject(Injections.inRule(reply) ? Rejection.INJECTION : Rejection.UNPARSED);
      return Optional.empty();
    }
    List<String> evidence = new ArrayList<>(knownRules);
    for (Lesson.SolvedCase one : cases) {
      evidence.add(one.solved().problem());
      one.solved().attempts().stream().map(Attempt::text).forEach(evidence::add);
    }
    List<Draft> kept = new ArrayList<>();
    for (Draft draft : drafts.get()) {
      boolean known = knownRules.contains(draft.when() + " " + draft.then() + " " + draft.scope());
      Optional<Rejection> why = known ? Optional.empty() : guard.refuse(draft, evidence);
      Optional<Draft> other =
          known ? Optional.empty() : inOwnWords(draft, why, lesson, cases, evidence);
      if (other.isPresent()) {
        reworded++;
        kept.add(other.get());
      } else if (why.isPresent()) {
        reject(why.get());
      } else {
        kept.add(draft);
      }
    }
    return kept.isEmpty()
        ? Optional.empty()
        : Optional.of(new Proposal(kept, cases.stream().map(Lesson.SolvedCase::id).toList(), 1));
  }

  /**
   * A draft whose occasion does not stand in the evidence, with the words that the problems share
   * instead. A small model is expected to copy its occasion, so any other wording is replaced; an
   * instruct model says it in its own words, which are replaced only for a name or number that no
   * evidence has. Nothing else that is wrong with a draft is mended.
   */
  private Optional<Draft> inOwnWords(
      Draft draft,
      Optional<Rejection> why,
      Lesson lesson,
      List<Lesson.SolvedCase> cases,
      List<String> evidence) {
    boolean unsupported =
        why.filter(r -> r == Rejection.UNSUPPORTED_NAME || r == Rejection.UNSUPPORTED_NUMBER)
            .isPresent();
    boolean copied = form == PromptForm.SHORT;
    if (draft.when().isEmpty()
        || !(unsupported || (why.isEmpty() && copied))
        || SharedWording.stands(draft.when(), evidence)) {
      return Optional.empty();
    }
    return wording
        .of(
            draft.when(),
            cases.stream().map(c -> c.solved().problem()).toList(),
            problems.getOrDefault(lesson, List.of()))
        .map(when -> new Draft(when, draft.then(), draft.scope()))
        .filter(other -> guard.refuse(other, evidence).isEmpty());
  }
}
