package io.knack.spark.curate;

import io.knack.contracts.Attempt;
import io.knack.contracts.Interaction;
import io.knack.contracts.Outcome;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.practice.verify.Verifier;
import io.knack.practice.verify.Verifiers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks what no one has checked, with the plan's verifiers, and again what a log calls right when
 * the plan asks for it. Not safe for many threads.
 */
final class Verification implements AutoCloseable {
  /** They compare with a known right answer. */
  private static final Set<String> NEED_REFERENCE = Set.of("exact", "numeric", "choice");

  private final CuratePlan plan;
  private final Map<VerifierSpec, Verifier> verifiers = new HashMap<>();

  Verification(CuratePlan plan) {
    this.plan = plan;
  }

  /** Refuses rules that make no verifier. */
  static void check(CuratePlan plan) {
    for (VerifierRule rule : plan.verifiers()) {
      if (rule.isJudge()) {
        Verifiers.checkJudge(rule.spec(), Path.of("").toAbsolutePath());
      } else {
        Verifiers.of(rule.spec()).close();
      }
    }
  }

  /**
   * How answers to a problem are checked: by the first rule that applies, else by comparison with
   * the reference; null when nothing can.
   */
  static @Nullable VerifierSpec spec(
      CuratePlan plan, Interaction interaction, @Nullable ClusterId cluster) {
    String reference = interaction.reference();
    for (VerifierRule rule : plan.verifiers()) {
      if (rule.applies(interaction.tags(), cluster)
          && (reference != null || !NEED_REFERENCE.contains(rule.kind()))) {
        return rule.spec();
      }
    }
    if (reference == null || reference.isBlank()) {
      return null;
    }
    boolean number = reference.strip().matches("[-+]?[$€£]?\\s?\\d[\\d,]*(\\.\\d+)?%?");
    return new VerifierSpec(number ? "numeric" : "exact", Map.of());
  }

  Candidate verify(Interaction interaction, @Nullable ClusterId cluster) {
    VerifierSpec spec = spec(plan, interaction, cluster);
    if (spec == null || spec.kind().equals("judge")) {
      return new Candidate(interaction, cluster, spec, 0, 0, 0); // judges wait for all of them
    }
    List<Attempt> attempts = new ArrayList<>();
    Outcome outcome = interaction.outcome();
    String source = interaction.outcomeSource();
    long calls = 0;
    long micros = 0;
    long faults = 0;
    for (Attempt attempt : interaction.attempts()) {
      Attempt checked = attempt;
      if (toCheck(attempt)) {
        Verifier verifier = verifiers.computeIfAbsent(spec, Verifiers::of);
        var said = verifier.verify(interaction.problem(), attempt.text(), interaction.reference());
        calls += Math.max(1, said.cost().verifierCalls());
        micros += said.cost().wallMicros();
        if (said.fault() != null) {
          faults++;
        } else {
          Outcome verdict = said.score() >= plan.passScore() ? Outcome.VERIFIED : Outcome.FAILED;
          checked = checked(attempt, said.score(), verdict);
          if (outcome != Outcome.FAILED && attempt.text().equals(interaction.completion())) {
            outcome = verdict;
            source = "verifier:" + spec.kind();
          }
        }
      }
      attempts.add(checked);
    }
    return new Candidate(
        with(interaction, attempts, outcome, source), cluster, spec, calls, micros, faults);
  }

  /** An attempt with what a verifier said of it. */
  static Attempt checked(Attempt attempt, double score, Outcome verdict) {
    return new Attempt(
        attempt.method(),
        attempt.text(),
        attempt.promptTokens(),
        attempt.cachedPromptTokens(),
        attempt.completionTokens(),
        score,
        verdict);
  }

  private boolean toCheck(Attempt attempt) {
    return !attempt.text().isBlank()
        && (attempt.outcome() == Outcome.UNKNOWN
            || (plan.recheck() && attempt.outcome() == Outcome.VERIFIED));
  }

  /** An interaction with other attempts and another outcome. */
  static Interaction with(
      Interaction it, List<Attempt> attempts, Outcome outcome, @Nullable String source) {
    return new Interaction(
        it.id(),
        it.occurredAt(),
        it.tenant(),
        it.subject(),
        it.conversation(),
        it.messages(),
        it.tools(),
        it.completion(),
        it.reference(),
        attempts,
        outcome,
        source,
        it.feedback(),
        it.budget(),
        it.cost(),
        it.latencyMicros(),
        it.model(),
        it.servedBy(),
        it.tags());
  }

  @Override
  public void close() {
    verifiers.values().forEach(Verifier::close);
  }
}
