package io.knack.spark.curate;

import io.knack.contracts.Attempt;
import io.knack.contracts.Interaction;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.store.Digests;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A cluster's part of the curriculum, if it is chosen.
 *
 * @param train the problems to learn, each with all the interactions that asked it
 * @param validation later problems, solved or not
 * @param holdout sealed problems, solved or not
 * @param counts of what there was to learn from
 */
record Lesson(
    ClusterId id,
    List<List<Candidate>> train,
    List<Candidate> validation,
    List<Candidate> holdout,
    Curator.Prospect prospect,
    Counts counts) {

  /**
   * Interactions of the training side at each step.
   *
   * @param early all of them
   * @param solvable of a problem that someone solved, verified
   * @param solved with a verified solution themselves
   * @param problems different ones
   * @param afterSubjects of these, within what one person may add
   */
  record Counts(long early, long solvable, long solved, long problems, long afterSubjects) {
    Counts plus(Counts other) {
      return new Counts(
          early + other.early,
          solvable + other.solvable,
          solved + other.solved,
          problems + other.problems,
          afterSubjects + other.afterSubjects);
    }
  }

  static Lesson of(
      CuratePlan plan,
      ClusterId id,
      List<Candidate> members,
      TimeSplit split,
      Curator.Prospect prospect) {
    Map<Split, List<Candidate>> bySide =
        members.stream().collect(Collectors.groupingBy(split::side));
    List<Candidate> early = bySide.getOrDefault(Split.TRAIN, List.of());
    Map<String, List<Candidate>> byRequest = byRequest(early);
    List<List<Candidate>> allowed = perSubject(plan, order(plan, id, byRequest));
    return new Lesson(
        id,
        allowed.subList(0, Math.min(plan.maxTrainPerCluster(), allowed.size())),
        bySide.getOrDefault(Split.VALIDATION, List.of()),
        bySide.getOrDefault(Split.HOLDOUT, List.of()),
        prospect,
        new Counts(
            early.size(),
            byRequest.values().stream().mapToLong(List::size).sum(),
            early.stream().filter(candidate -> candidate.solution().isPresent()).count(),
            byRequest.size(),
            allowed.size()));
  }

  /** Its later problems alone. */
  Lesson withoutTrain() {
    return new Lesson(
        id, List.of(), validation, holdout, prospect, new Counts(counts.early(), 0, 0, 0, 0));
  }

  /** The interactions of each request that was solved, verified, at least once. */
  private static Map<String, List<Candidate>> byRequest(List<Candidate> early) {
    Set<String> solvable =
        early.stream()
            .filter(candidate -> candidate.solution().isPresent())
            .map(Candidate::requestDigest)
            .collect(Collectors.toSet());
    Map<String, List<Candidate>> byRequest = new TreeMap<>();
    for (Candidate candidate : early) {
      String request = candidate.requestDigest();
      if (solvable.contains(request)) {
        byRequest.computeIfAbsent(request, key -> new ArrayList<>()).add(candidate);
      }
    }
    return byRequest;
  }

  /** The most asked first. */
  private static List<List<Candidate>> order(
      CuratePlan plan, ClusterId id, Map<String, List<Candidate>> byRequest) {
    return byRequest.entrySet().stream()
        .sorted(
            Comparator.comparing((Map.Entry<String, List<Candidate>> e) -> -e.getValue().size())
                .thenComparing(
                    e -> Digests.sha256(plan.seed() + "\n" + id.value() + "\n" + e.getKey())))
        .map(Map.Entry::getValue)
        .toList();
  }

  private static List<List<Candidate>> perSubject(CuratePlan plan, List<List<Candidate>> requests) {
    Map<String, Integer> perSubject = new HashMap<>();
    List<List<Candidate>> allowed = new ArrayList<>();
    for (List<Candidate> request : requests) {
      var subject = best(request).interaction().subject();
      if (subject == null
          || perSubject.merge(subject.value(), 1, Integer::sum) <= plan.maxPerSubject()) {
        allowed.add(request);
      }
    }
    return allowed;
  }

  /** The interaction with the shortest verified solution. */
  static Candidate best(List<Candidate> sameRequest) {
    return sameRequest.stream()
        .filter(candidate -> candidate.solution().isPresent())
        .min(
            Comparator.comparingLong(
                    (Candidate c) ->
                        c.solution().map(Attempt::completionTokens).orElse(Long.MAX_VALUE))
                .thenComparing(c -> c.interaction().id().value()))
        .orElseThrow();
  }

  /** Why it cannot be learnt tonight, or null. */
  @Nullable String flaw(CuratePlan plan) {
    if (counts.solved() < plan.minTrain()) {
      return counts.solved() + " verified solutions to learn from, needs " + plan.minTrain();
    }
    if (validation.size() < plan.minValidation()) {
      return validation.size() + " validation problems, needs " + plan.minValidation();
    }
    if (holdout.size() < plan.minHoldout()) {
      return holdout.size() + " holdout problems, needs " + plan.minHoldout();
    }
    return null;
  }

  /** Whether its later problems can judge what an earlier night learnt. */
  boolean judges() {
    return prospect.learntBefore() && !validation.isEmpty();
  }

  /** Expected saving, times how much there is to learn from, times how long it was not learnt. */
  double value() {
    double learnability =
        Math.min(1, counts.solved() / 20.0)
            * (counts.early() == 0 ? 0 : (double) counts.solvable() / counts.early());
    double staleness = Math.min(2, 1 + 0.1 * prospect.nightsSinceLearnt());
    return Math.max(1, prospect.expectedSaving()) * learnability * staleness;
  }

  /**
   * Estimated on the device: training passes at three times the cost of reading, and two answers to
   * each later problem that is judged, at the cost that it had.
   */
  double minutes(CuratePlan plan) {
    double training = 0;
    for (List<Candidate> request : train) {
      Attempt solution = best(request).solution().orElseThrow();
      training += solution.promptTokens() + solution.completionTokens();
    }
    return 3 * plan.epochs() * training / plan.tokensPerSecond() / 60 + judgingMinutes(plan);
  }

  /** The second half of {@link #minutes}. */
  double judgingMinutes(CuratePlan plan) {
    double judging = judging(plan, validation) + judging(plan, holdout);
    return 2 * judging / plan.tokensPerSecond() / 60;
  }

  private static double judging(CuratePlan plan, List<Candidate> problems) {
    double tokens =
        problems.stream()
            .map(Candidate::interaction)
            .map(Interaction::budget)
            .mapToLong(budget -> budget.completionTokens())
            .average()
            .orElse(0);
    return tokens * Math.min(problems.size(), plan.judgedPerCluster());
  }
}
