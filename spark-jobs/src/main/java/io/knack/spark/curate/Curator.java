package io.knack.spark.curate;

import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.InteractionId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes the curriculum of candidates: plain code over what one night looks at, which the plan
 * bounds. {@link AnchorSet} is set aside first, {@link TimeSplit} divides the rest, {@link Lesson}
 * is a cluster's part of it, {@link Choosing} says which are learnt tonight.
 */
final class Curator {
  static final String WHAT_TO_CONFIGURE =
      ": they have no reference answer, and the plan names no verifier for them; set 'verifiers' in"
          + " the plan of curate (kind: exact, numeric, regex, json_schema, choice, command or judge), or"
          + " import logs that know the right answer (--map reference=PATH)";

  private final CuratePlan plan;
  private final Steps steps;

  /**
   * @param steps how the candidates came to be; what happens to them here is added
   */
  Curator(CuratePlan plan, Steps steps) {
    this.plan = plan;
    this.steps = steps;
  }

  /**
   * What is known of a cluster before its candidates are looked at.
   *
   * @param learntBefore whether an earlier night learnt it, so that a memory of it may be live
   */
  record Prospect(double expectedSaving, long nightsSinceLearnt, boolean learntBefore) {}

  /** How curating ended. */
  sealed interface Ending {
    /** There is something to learn. */
    record Made(Curriculum curriculum) implements Ending {}

    /** There is not, and why. */
    record Nothing(String reason) implements Ending {}
  }

  /**
   * @param candidates of clusters, and the anchor's pool
   * @param anchor of earlier nights
   * @param sealedUntil end of the last holdout of an earlier night; null without one
   */
  Ending curate(
      List<Candidate> candidates,
      Map<ClusterId, Prospect> prospects,
      List<Example> anchor,
      @Nullable Instant sealedUntil) {
    List<Candidate> verifiable =
        steps.took(
            "can be verified",
            candidates,
            candidates.stream().filter(candidate -> candidate.verifier() != null).toList(),
            "no reference and no verifier applies");
    if (verifiable.isEmpty()) {
      return new Ending.Nothing(
          "none of " + candidates.size() + " interactions can be verified" + WHAT_TO_CONFIGURE);
    }
    AnchorSet anchors = new AnchorSet(plan, verifiable, anchor);
    List<Candidate> pool = anchors.outside(verifiable, steps);
    if (pool.isEmpty()) {
      return new Ending.Nothing(
          "no cluster that is offered for learning has a problem that can be verified"
              + WHAT_TO_CONFIGURE);
    }
    TimeSplit.Ending split = TimeSplit.of(plan, pool, sealedUntil);
    if (split instanceof TimeSplit.Ending.Impossible impossible) {
      return new Ending.Nothing(impossible.reason());
    }
    TimeSplit cut = ((TimeSplit.Ending.Cut) split).split();
    return learn(cut, pool, prospects, anchors.examples(), candidates);
  }

  private Ending learn(
      TimeSplit split,
      List<Candidate> pool,
      Map<ClusterId, Prospect> prospects,
      List<Example> anchors,
      List<Candidate> candidates) {
    Map<ClusterId, List<Candidate>> byCluster =
        new TreeMap<>(Comparator.comparing(ClusterId::value));
    for (Candidate candidate : split.guarded(plan, pool, steps)) {
      byCluster
          .computeIfAbsent(
              Objects.requireNonNull(candidate.clusterId(), "the anchor's pool was left behind"),
              id -> new ArrayList<>())
          .add(candidate);
    }
    List<Lesson> lessons = new ArrayList<>();
    byCluster.forEach(
        (id, members) ->
            lessons.add(
                Lesson.of(
                    plan,
                    id,
                    members,
                    split,
                    prospects.getOrDefault(id, new Prospect(0, 0, false)))));
    List<Curriculum.Choice> choices = Choosing.of(plan, lessons);
    Set<String> learnt = of(choices, Curriculum.Part.LEARN);
    Set<String> judged = of(choices, Curriculum.Part.JUDGE);
    if (learnt.isEmpty() && judged.isEmpty()) {
      return new Ending.Nothing(
          "no cluster can be learnt tonight: "
              + choices.stream()
                  .limit(5)
                  .map(choice -> choice.clusterId() + ": " + choice.reason())
                  .collect(Collectors.joining("; ")));
    }
    List<Lesson> kept =
        lessons.stream()
            .filter(l -> learnt.contains(l.id().value()) || judged.contains(l.id().value()))
            .map(lesson -> judged.contains(lesson.id().value()) ? lesson.withoutTrain() : lesson)
            .toList();
    long sealed = kept.stream().mapToLong(lesson -> lesson.holdout().size()).sum();
    if (sealed < plan.minHoldoutProblems()) {
      return new Ending.Nothing(
          "the "
              + kept.size()
              + " clusters that could be learnt have "
              + sealed
              + " holdout problems together, the gate needs "
              + plan.minHoldoutProblems()
              + " (min_holdout_problems)");
    }
    count(lessons, kept);
    return new Ending.Made(assemble(kept, anchors, choices, candidates));
  }

  private static Set<String> of(List<Curriculum.Choice> choices, Curriculum.Part part) {
    return choices.stream()
        .filter(choice -> choice.part() == part)
        .map(Curriculum.Choice::clusterId)
        .collect(Collectors.toSet());
  }

  private void count(List<Lesson> lessons, List<Lesson> kept) {
    long members =
        lessons.stream()
            .mapToLong(l -> l.counts().early() + l.validation().size() + l.holdout().size())
            .sum();
    Lesson.Counts counts =
        kept.stream()
            .map(Lesson::counts)
            .reduce(new Lesson.Counts(0, 0, 0, 0, 0), Lesson.Counts::plus);
    long later = kept.stream().mapToLong(l -> l.validation().size() + l.holdout().size()).sum();
    steps.took(
        "of a cluster learnt or judged tonight",
        members,
        counts.early() + later,
        "its cluster has too little of something, or the budget is spent; the table below says");
    steps.took(
        "train: solved at least once",
        counts.early(),
        counts.solvable(),
        "no one's answer was verified");
    steps.took(
        "train: each problem once",
        counts.solvable(),
        counts.problems(),
        "the same words again: one example of all, with its shortest solution");
    steps.took(
        "train: within max_per_subject",
        counts.problems(),
        counts.afterSubjects(),
        "one person would have said too much");
    steps.took(
        "train: within max_train_per_cluster",
        counts.afterSubjects(),
        kept.stream().mapToLong(lesson -> lesson.train().size()).sum(),
        "the cluster has enough");
  }

  // ---- the result

  private Curriculum assemble(
      List<Lesson> kept,
      List<Example> anchors,
      List<Curriculum.Choice> choices,
      List<Candidate> candidates) {
    double mean =
        kept.stream()
            .mapToInt(lesson -> lesson.train().size())
            .filter(size -> size > 0)
            .average()
            .orElse(1);
    List<Example> examples = new ArrayList<>(anchors);
    List<Evidence> evidence = new ArrayList<>();
    Set<String> learnt = new HashSet<>();
    for (Lesson lesson : kept) {
      // Every cluster weighs the same in total, within bounds.
      double weight = Choosing.rounded(Math.min(4, Math.max(0.25, mean / lesson.train().size())));
      for (List<Candidate> request : lesson.train()) {
        Candidate best = Lesson.best(request);
        Example example = Examples.of(best, lesson.id(), Split.TRAIN, request, weight);
        examples.add(example);
        learnt.add(best.problemText());
        evidence.add(
            new Evidence(
                example.id(),
                request.stream().flatMap(c -> c.interaction().attempts().stream()).toList()));
      }
      lesson.validation().forEach(c -> examples.add(later(c, lesson.id(), Split.VALIDATION)));
      lesson.holdout().forEach(c -> examples.add(later(c, lesson.id(), Split.HOLDOUT)));
    }
    examples.sort(Comparator.comparing(example -> example.id().value()));
    evidence.sort(Comparator.comparing(entry -> entry.exampleId().value()));

    Map<String, Object> figures = new LinkedHashMap<>();
    for (Split split : Split.values()) {
      figures.put(
          split.name().toLowerCase(Locale.ROOT),
          examples.stream().filter(example -> example.split() == split).count());
    }
    Set<InteractionId> surviving = new HashSet<>();
    examples.forEach(example -> surviving.addAll(example.sourceInteractionIds()));
    figures.put("interactions_in", (long) candidates.size());
    figures.put("interactions_in_a_split", (long) surviving.size());
    figures.put("clusters_chosen", choices.stream().filter(Curriculum.Choice::learnt).count());
    figures.put(
        "clusters_judged",
        choices.stream().filter(choice -> choice.part() == Curriculum.Part.JUDGE).count());
    figures.put("clusters_looked_at", (long) choices.size());
    figures.put(
        "holdout_exact_recurrences",
        kept.stream()
            .flatMap(lesson -> lesson.holdout().stream())
            .filter(candidate -> learnt.contains(candidate.problemText()))
            .count());
    figures.put("verifier_calls", candidates.stream().mapToLong(Candidate::verifierCalls).sum());
    figures.put("verifier_faults", candidates.stream().mapToLong(Candidate::faults).sum());
    figures.put(
        "verifier_seconds", candidates.stream().mapToLong(Candidate::verifierMicros).sum() / 1e6);
    return new Curriculum(examples, evidence, steps.taken(), choices, figures);
  }

  private static Example later(Candidate candidate, ClusterId cluster, Split split) {
    return Examples.of(candidate, cluster, split, List.of(candidate), 1);
  }
}
