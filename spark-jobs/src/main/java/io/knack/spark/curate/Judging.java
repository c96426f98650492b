package io.knack.spark.curate;

import io.knack.contracts.Attempt;
import io.knack.contracts.Interaction;
import io.knack.contracts.Outcome;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.store.Digests;
import io.knack.llm.LanguageModel;
import io.knack.practice.verify.Check;
import io.knack.practice.verify.JudgeTrial;
import io.knack.practice.verify.KnownAnswer;
import io.knack.practice.verify.Verifier;
import io.knack.practice.verify.Verifiers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers that a language model judges. Before anything relies on a judge it is tried on answers of
 * its own problems whose outcome the log knows, or on those of a file that its rule names; one that
 * tells right from wrong too seldom judges nothing, and its problems count as not verifiable.
 */
final class Judging {
  /** Known answers of each outcome that a judge is tried on at most. */
  private static final int KNOWN = 60;

  /** Known answers of each outcome without which a judge cannot be tried. */
  private static final int LEAST = 10;

  private final CuratePlan plan;
  private final LanguageModel model;
  private final Consumer<String> say;
  private final Map<String, Object> figures = new LinkedHashMap<>();
  private long calls;
  private long tokens;
  private int judges;

  /**
   * @param say words for the person who watches
   */
  Judging(CuratePlan plan, LanguageModel model, Consumer<String> say) {
    this.plan = plan;
    this.model = model;
    this.say = say;
  }

  /** What the judges were found to be and what they cost; for the card. */
  Map<String, Object> figures() {
    Map<String, Object> all = new LinkedHashMap<>(figures);
    all.put("judge_calls", calls);
    all.put("judge_tokens", tokens);
    return all;
  }

  /** The same candidates in the same order; those with a judge judged, or without a verifier. */
  List<Candidate> judged(List<Candidate> candidates) {
    Map<VerifierSpec, List<Integer>> bySpec = new LinkedHashMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      VerifierSpec spec = candidates.get(i).verifier();
      if (spec != null && spec.kind().equals("judge")) {
        bySpec.computeIfAbsent(spec, s -> new ArrayList<>()).add(i);
      }
    }
    List<Candidate> all = new ArrayList<>(candidates);
    bySpec.forEach(
        (spec, places) -> {
          List<Candidate> own = places.stream().map(candidates::get).toList();
          JudgeTrial trial = tried(spec, own);
          List<Candidate> said =
              trial != null && trial.passed() ? judged(own, trial.spec()) : unverifiable(own);
          for (int i = 0; i < places.size(); i++) {
            all.set(places.get(i), said.get(i));
          }
        });
    return all;
  }

  /** Null when too few outcomes are known. */
  private @Nullable JudgeTrial tried(VerifierSpec spec, List<Candidate> own) {
    String name = "judge" + (++judges == 1 ? "" : "_" + judges);
    Path here = Path.of("").toAbsolutePath();
    List<KnownAnswer> known = Verifiers.checkJudge(spec, here);
    if (known.isEmpty()) {
      known = known(own);
    }
    long right = known.stream().filter(KnownAnswer::right).count();
    long wrong = known.size() - right;
    figures.put(name + "_model", model.name());
    figures.put(name + "_known_right", right);
    figures.put(name + "_known_wrong", wrong);
    if (Math.min(right, wrong) < LEAST) {
      say.accept(
          String.format(
              Locale.ROOT,
              "curate: the judge cannot be calibrated and judges nothing: of its %d problems the log"
                  + " knows %d right and %d wrong answers, it takes %d of each; import outcomes"
                  + " (--map verified=... or score=...), or name a file of known answers in its"
                  + " option calibration",
              own.size(),
              right,
              wrong,
              LEAST));
      figures.put(name + "_verdict", "refused: too few known outcomes");
      return null;
    }
    JudgeTrial trial = Verifiers.tried(spec, here, model, known);
    book(trial.cost().judgeCalls(), trial.cost().judgeTokens());
    String found =
        String.format(
            Locale.ROOT,
            "tells right from wrong in %.0f%% of %d known answers, needed are %.0f%%",
            100 * trial.accuracy(),
            known.size(),
            100 * trial.leastAccuracy());
    figures.put(name + "_accuracy", Choosing.rounded(trial.accuracy()));
    figures.put(name + "_verdict", (trial.passed() ? "relied on: " : "refused: ") + found);
    say.accept(
        "curate: the judge "
            + model.name()
            + " "
            + found
            + (trial.passed()
                ? ""
                : "; it judges nothing: use a better model or rubric, or a verifier that is no"
                    + " model"));
    return trial;
  }

  /** Of each outcome the same answers every time, whatever the order of the log. */
  private List<KnownAnswer> known(List<Candidate> own) {
    record Drawn(String key, KnownAnswer answer) {}
    List<Drawn> drawn = new ArrayList<>();
    for (Candidate candidate : own) {
      Interaction it = candidate.interaction();
      for (Attempt attempt : it.attempts()) {
        if (attempt.outcome() != Outcome.UNKNOWN && !attempt.text().isBlank()) {
          drawn.add(
              new Drawn(
                  Digests.sha256(plan.seed() + "\n" + it.id() + "\n" + attempt.text()),
                  new KnownAnswer(check(it, attempt), attempt.outcome() == Outcome.VERIFIED)));
        }
      }
    }
    drawn.sort(Comparator.comparing(Drawn::key));
    List<KnownAnswer> known = new ArrayList<>();
    for (boolean right : new boolean[] {true, false}) {
      drawn.stream()
          .map(Drawn::answer)
          .filter(answer -> answer.right() == right)
          .limit(KNOWN)
          .forEach(known::add);
    }
    return known;
  }

  private static Check check(Interaction it, Attempt attempt) {
    return new Check(it.problem(), attempt.text(), it.reference());
  }

  private static List<Candidate> unverifiable(List<Candidate> own) {
    return own.stream()
        .map(c -> new Candidate(c.interaction(), c.clusterId(), null, 0, 0, 0))
        .toList();
  }

  /** All that no one has checked, in one batch. */
  private List<Candidate> judged(List<Candidate> own, VerifierSpec spec) {
    List<Check> checks = new ArrayList<>();
    for (Candidate candidate : own) {
      for (Attempt attempt : candidate.interaction().attempts()) {
        if (unchecked(attempt)) {
          checks.add(check(candidate.interaction(), attempt));
        }
      }
    }
    List<io.knack.practice.verify.Verification> said;
    long started = System.nanoTime();
    try (Verifier judge = Verifiers.of(spec, Path.of("").toAbsolutePath(), model)) {
      said = checks.isEmpty() ? List.of() : judge.verifyAll(checks);
    }
    // They are asked side by side: each answer is booked its share of the time.
    long each = (System.nanoTime() - started) / 1000 / Math.max(1, checks.size());
    List<Candidate> all = new ArrayList<>();
    int next = 0;
    for (Candidate candidate : own) {
      Interaction it = candidate.interaction();
      List<Attempt> attempts = new ArrayList<>();
      Outcome outcome = it.outcome();
      String source = it.outcomeSource();
      long asked = 0;
      long faults = 0;
      for (Attempt attempt : it.attempts()) {
        Attempt checked = attempt;
        if (unchecked(attempt)) {
          var one = said.get(next++);
          asked++;
          book(one.cost().judgeCalls(), one.cost().judgeTokens());
          if (one.fault() != null) {
            faults++;
          } else {
            Outcome verdict = one.score() >= plan.passScore() ? Outcome.VERIFIED : Outcome.FAILED;
            checked = Verification.checked(attempt, one.score(), verdict);
            if (outcome != Outcome.FAILED && attempt.text().equals(it.completion())) {
              outcome = verdict;
              source = "verifier:judge";
            }
          }
        }
        attempts.add(checked);
      }
      all.add(
          new Candidate(
              Verification.with(it, attempts, outcome, source),
              candidate.clusterId(),
              spec,
              asked,
              asked * each,
              faults));
    }
    return all;
  }

  private static boolean unchecked(Attempt attempt) {
    return attempt.outcome() == Outcome.UNKNOWN && !attempt.text().isBlank();
  }

  private void book(long asked, long spent) {
    calls += asked;
    tokens += spent;
  }
}
