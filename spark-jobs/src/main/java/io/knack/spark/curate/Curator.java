package io.knack.spark.curate;

import io.knack.contracts.Attempt;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.store.Digests;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes the curriculum of candidates: plain code over what one night looks at, which the plan
 * bounds.
 *
 * <p>Two cuts in time, the same for all clusters, divide the problems that can be verified: up to
 * the first is for training, up to the second for validation, behind it is the sealed holdout. A
 * holdout of an earlier night is never sealed again: tonight's begins behind its end. What belongs
 * together (a conversation, a retry) stays on the later side and leaves the earlier ones, so that
 * nothing that judges was learnt. The same words from another person are no leak: recurrence is the
 * point. Only the anchor, which must notice harm outside of what was learnt, is guarded by text.
 */
final class Curator {
  private final CuratePlan plan;
  private final List<Curriculum.Step> steps = new ArrayList<>();

  Curator(CuratePlan plan) {
    this.plan = plan;
  }

  /** What is known of a cluster before its candidates are looked at. */
  record Prospect(double expectedSaving, long nightsSinceLearnt) {}

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
        step(
            "can be verified",
            candidates,
            candidates.stream().filter(candidate -> candidate.verifier() != null).toList(),
            "no reference and no verifier applies");
    if (verifiable.isEmpty()) {
      return new Ending.Nothing(
          "none of " + candidates.size() + " interactions can be verified" + WHAT_TO_CONFIGURE);
    }
    List<Example> anchors = anchor(verifiable, anchor);
    List<Candidate> pool = guardAnchor(verifiable, anchors);
    Map<String, Split> sides = new HashMap<>();
    String tooLittle = cut(pool, sealedUntil, sides);
    if (tooLittle != null) {
      return new Ending.Nothing(tooLittle);
    }
    List<Candidate> guarded = guardGroups(pool, sides);

    Map<ClusterId, List<Candidate>> byCluster =
        new TreeMap<>(Comparator.comparing(ClusterId::value));
    for (Candidate candidate : guarded) {
      byCluster.computeIfAbsent(cluster(candidate), id -> new ArrayList<>()).add(candidate);
    }
    List<Drafted> drafts = new ArrayList<>();
    byCluster.forEach(
        (id, members) ->
            drafts.add(draft(id, members, sides, prospects.getOrDefault(id, new Prospect(0, 0)))));
    List<Curriculum.Choice> choices = choose(drafts);
    Set<String> chosen =
        choices.stream()
            .filter(Curriculum.Choice::chosen)
            .map(Curriculum.Choice::clusterId)
            .collect(Collectors.toSet());
    if (chosen.isEmpty()) {
      return new Ending.Nothing(
          "no cluster can be learnt tonight: "
              + choices.stream()
                  .limit(5)
                  .map(choice -> choice.clusterId() + ": " + choice.reason())
                  .collect(Collectors.joining("; ")));
    }
    List<Drafted> kept =
        drafts.stream().filter(draft -> chosen.contains(draft.id().value())).toList();
    return new Ending.Made(assemble(kept, anchors, choices, candidates));
  }

  static final String WHAT_TO_CONFIGURE =
      ": they have no reference answer, and the plan names no verifier for them; set 'verifiers' in"
          + " the plan of curate (kind: exact, numeric, regex, json_schema, choice or command), or"
          + " import logs that know the right answer (--map reference=PATH)";

  // ---- the anchor

  /** Earlier anchors stay for ever; new ones come from outside every cluster, by a stable hash. */
  private List<Example> anchor(List<Candidate> verifiable, List<Example> earlier) {
    List<Example> anchors = new ArrayList<>(earlier);
    int size =
        plan.allAsOneCluster()
            ? Math.min(plan.anchorSize(), verifiable.size() / 20)
            : plan.anchorSize();
    Set<String> texts =
        earlier.stream()
            .map(example -> Candidate.normal(example.problem()))
            .collect(Collectors.toCollection(HashSet::new));
    verifiable.stream()
        .filter(candidate -> plan.allAsOneCluster() || candidate.clusterId() == null)
        .sorted(
            Comparator.comparing(candidate -> hash("anchor", candidate.interaction().id().value())))
        .filter(candidate -> anchors.size() < size)
        .forEach(
            candidate -> {
              if (anchors.size() < size && texts.add(candidate.problemText())) {
                anchors.add(example(candidate, null, Split.ANCHOR, List.of(candidate), null, 1));
              }
            });
    return anchors;
  }

  private List<Candidate> guardAnchor(List<Candidate> verifiable, List<Example> anchors) {
    Set<InteractionId> ids = new HashSet<>();
    Set<String> texts = new HashSet<>();
    for (Example example : anchors) {
      ids.addAll(example.sourceInteractionIds());
      texts.add(Candidate.normal(example.problem()));
    }
    List<Candidate> clustered =
        verifiable.stream().filter(candidate -> candidate.clusterId() != null).toList();
    return step(
        "outside the anchor",
        clustered,
        clustered.stream()
            .filter(
                candidate ->
                    !ids.contains(candidate.interaction().id())
                        && !texts.contains(candidate.problemText()))
            .toList(),
        "in the anchor, or in its words");
  }

  // ---- splits by time

  /** Fills the side of every candidate; returns why there can be no holdout, or null. */
  private @Nullable String cut(
      List<Candidate> pool, @Nullable Instant sealedUntil, Map<String, Split> sides) {
    List<Instant> times =
        pool.stream().map(candidate -> candidate.interaction().occurredAt()).sorted().toList();
    if (times.isEmpty()) {
      return "no cluster that is offered for learning has a problem that can be verified"
          + WHAT_TO_CONFIGURE;
    }
    Instant trainEnd = quantile(times, plan.trainFraction());
    Instant validationEnd = quantile(times, plan.trainFraction() + plan.validationFraction());
    if (sealedUntil != null && sealedUntil.isAfter(validationEnd)) {
      validationEnd = sealedUntil;
      // What was sealed is released: half of it at least is learnt from.
      Instant end = validationEnd;
      List<Instant> released = times.stream().filter(time -> !time.isAfter(end)).toList();
      if (!released.isEmpty()) {
        trainEnd =
            quantile(
                released,
                plan.trainFraction() / (plan.trainFraction() + plan.validationFraction()));
      }
      int fresh = times.size() - released.size();
      if (fresh < plan.minHoldout()) {
        return "only "
            + fresh
            + " problems that can be verified came after the last sealed holdout (until "
            + sealedUntil
            + "), a new one needs "
            + plan.minHoldout();
      }
    }
    for (Candidate candidate : pool) {
      Instant time = candidate.interaction().occurredAt();
      sides.put(
          candidate.interaction().id().value(),
          !time.isAfter(trainEnd)
              ? Split.TRAIN
              : !time.isAfter(validationEnd) ? Split.VALIDATION : Split.HOLDOUT);
    }
    return null;
  }

  private static Instant quantile(List<Instant> sorted, double share) {
    int index = (int) Math.ceil(share * sorted.size()) - 1;
    return sorted.get(Math.min(sorted.size() - 1, Math.max(0, index)));
  }

  /** Conversations and retries stay on their latest side only. */
  private List<Candidate> guardGroups(List<Candidate> pool, Map<String, Split> sides) {
    Map<String, String> parents = new HashMap<>();
    Map<String, Candidate> lastAsked = new HashMap<>();
    List<Candidate> inTime =
        pool.stream()
            .sorted(
                Comparator.comparing((Candidate c) -> c.interaction().occurredAt())
                    .thenComparing(c -> c.interaction().id().value()))
            .toList();
    for (Candidate candidate : inTime) {
      Interaction interaction = candidate.interaction();
      String id = "i:" + interaction.id().value();
      if (interaction.conversation() != null) {
        join(parents, id, "c:" + interaction.tenant() + "/" + interaction.conversation());
      }
      if (interaction.subject() != null) {
        String asked = interaction.subject() + "\u0001" + candidate.problemText();
        Candidate before = lastAsked.put(asked, candidate);
        if (before != null
            && Duration.between(before.interaction().occurredAt(), interaction.occurredAt())
                    .compareTo(plan.retryWindow())
                <= 0) {
          join(parents, id, "i:" + before.interaction().id().value());
        }
      }
    }
    Map<String, Split> latest = new HashMap<>();
    for (Candidate candidate : inTime) {
      latest.merge(
          root(parents, "i:" + candidate.interaction().id().value()),
          side(sides, candidate),
          (a, b) -> a.compareTo(b) >= 0 ? a : b);
    }
    return step(
        "on one side only",
        inTime,
        inTime.stream()
            .filter(
                candidate ->
                    latest.get(root(parents, "i:" + candidate.interaction().id().value()))
                        == side(sides, candidate))
            .toList(),
        "its conversation or retry lies in a later split");
  }

  private static String root(Map<String, String> parents, String of) {
    String at = of;
    String up = parents.getOrDefault(at, at);
    while (!up.equals(at)) {
      at = up;
      up = parents.getOrDefault(at, at);
    }
    parents.put(of, at);
    return at;
  }

  private static void join(Map<String, String> parents, String a, String b) {
    parents.put(root(parents, a), root(parents, b));
  }

  private static Split side(Map<String, Split> sides, Candidate candidate) {
    return Objects.requireNonNull(sides.get(candidate.interaction().id().value()));
  }

  // ---- one cluster

  /** A cluster's part of the curriculum, if it is chosen. */
  private record Drafted(
      ClusterId id,
      List<List<Candidate>> train,
      List<Candidate> validation,
      List<Candidate> holdout,
      Prospect prospect,
      long solved) {}

  private Drafted draft(
      ClusterId id, List<Candidate> members, Map<String, Split> sides, Prospect prospect) {
    Map<Split, List<Candidate>> bySide =
        members.stream().collect(Collectors.groupingBy(candidate -> side(sides, candidate)));
    List<Candidate> early = bySide.getOrDefault(Split.TRAIN, List.of());
    List<Candidate> solved =
        early.stream().filter(candidate -> candidate.solution().isPresent()).toList();
    return new Drafted(
        id,
        train(id, solved, early),
        bySide.getOrDefault(Split.VALIDATION, List.of()),
        bySide.getOrDefault(Split.HOLDOUT, List.of()),
        prospect,
        solved.size());
  }

  /**
   * The training problems of a cluster, each with all the interactions that asked it: the most
   * asked first, capped per subject and per cluster.
   */
  private List<List<Candidate>> train(ClusterId id, List<Candidate> solved, List<Candidate> early) {
    Set<String> solvable =
        solved.stream().map(Candidate::requestDigest).collect(Collectors.toSet());
    Map<String, List<Candidate>> byRequest = new TreeMap<>();
    for (Candidate candidate : early) {
      String request = candidate.requestDigest();
      if (solvable.contains(request)) {
        byRequest.computeIfAbsent(request, key -> new ArrayList<>()).add(candidate);
      }
    }
    List<Map.Entry<String, List<Candidate>>> order = new ArrayList<>(byRequest.entrySet());
    order.sort(
        Comparator.comparing((Map.Entry<String, List<Candidate>> e) -> -e.getValue().size())
            .thenComparing(e -> hash(id.value(), e.getKey())));
    Map<String, Integer> perSubject = new HashMap<>();
    List<List<Candidate>> chosen = new ArrayList<>();
    for (Map.Entry<String, List<Candidate>> request : order) {
      var subject = best(request.getValue()).interaction().subject();
      if (chosen.size() < plan.maxTrainPerCluster()
          && (subject == null
              || perSubject.merge(subject.value(), 1, Integer::sum) <= plan.maxPerSubject())) {
        chosen.add(request.getValue());
      }
    }
    return chosen;
  }

  /** The interaction with the shortest verified solution. */
  private static Candidate best(List<Candidate> sameRequest) {
    return sameRequest.stream()
        .filter(candidate -> candidate.solution().isPresent())
        .min(
            Comparator.comparingLong(
                    (Candidate c) ->
                        c.solution().map(Attempt::completionTokens).orElse(Long.MAX_VALUE))
                .thenComparing(c -> c.interaction().id().value()))
        .orElseThrow();
  }

  // ---- the choice

  /**
   * Expected saving, times how much there is to learn from, times how long it was not learnt, per
   * minute of the device; the best first, until the budget is spent.
   */
  private List<Curriculum.Choice> choose(List<Drafted> drafts) {
    record Scored(Drafted draft, double value, double minutes, @Nullable String flaw) {}
    List<Scored> scored = new ArrayList<>();
    for (Drafted draft : drafts) {
      double learnability = Math.min(1, draft.train().size() / 50.0);
      double staleness = Math.min(2, 1 + 0.1 * draft.prospect().nightsSinceLearnt());
      double value = Math.max(1, draft.prospect().expectedSaving()) * learnability * staleness;
      scored.add(new Scored(draft, value, minutes(draft), flaw(draft)));
    }
    scored.sort(
        Comparator.comparing((Scored s) -> s.flaw() != null)
            .thenComparing(s -> -s.value() / Math.max(1e-6, s.minutes()))
            .thenComparing(s -> s.draft().id().value()));
    List<Curriculum.Choice> choices = new ArrayList<>();
    double left = plan.deviceMinutes();
    for (Scored s : scored) {
      String reason = s.flaw();
      boolean chosen = reason == null && s.minutes() <= left;
      if (chosen) {
        left -= s.minutes();
        reason = "learnt tonight";
      } else if (reason == null) {
        reason =
            String.format(
                java.util.Locale.ROOT,
                "needs %.1f device minutes, %.1f are left",
                s.minutes(),
                left);
      }
      choices.add(
          new Curriculum.Choice(
              s.draft().id().value(),
              chosen,
              s.draft().train().size(),
              s.draft().validation().size(),
              s.draft().holdout().size(),
              rounded(s.value()),
              rounded(s.minutes()),
              reason));
    }
    return choices;
  }

  private @Nullable String flaw(Drafted draft) {
    if (draft.train().size() < plan.minTrain()) {
      return draft.train().size() + " problems with a verified solution, needs " + plan.minTrain();
    }
    if (draft.validation().size() < plan.minValidation()) {
      return draft.validation().size() + " validation problems, needs " + plan.minValidation();
    }
    if (draft.holdout().size() < plan.minHoldout()) {
      return draft.holdout().size() + " holdout problems, needs " + plan.minHoldout();
    }
    return null;
  }

  /** Training passes at three times the cost of reading, and two answers to each later problem. */
  private double minutes(Drafted draft) {
    double training = 0;
    for (List<Candidate> request : draft.train()) {
      Attempt solution = best(request).solution().orElseThrow();
      training += solution.promptTokens() + solution.completionTokens();
    }
    double judging = 0;
    for (Candidate candidate : draft.validation()) {
      judging += candidate.interaction().budget().completionTokens();
    }
    for (Candidate candidate : draft.holdout()) {
      judging += candidate.interaction().budget().completionTokens();
    }
    return (3 * plan.epochs() * training + 2 * judging) / plan.tokensPerSecond() / 60;
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  // ---- the result

  private Curriculum assemble(
      List<Drafted> kept,
      List<Example> anchors,
      List<Curriculum.Choice> choices,
      List<Candidate> candidates) {
    double mean = kept.stream().mapToInt(draft -> draft.train().size()).average().orElse(1);
    List<Example> examples = new ArrayList<>();
    List<Evidence> evidence = new ArrayList<>();
    Set<String> learnt = new HashSet<>();
    long recurring = 0;
    for (Drafted draft : kept) {
      // Every cluster weighs the same in total, within bounds.
      double weight = rounded(Math.min(4, Math.max(0.25, mean / draft.train().size())));
      for (List<Candidate> request : draft.train()) {
        Candidate best = best(request);
        Attempt solution = best.solution().orElseThrow();
        Example example = example(best, draft.id(), Split.TRAIN, request, solution, weight);
        examples.add(example);
        learnt.add(best.problemText());
        evidence.add(
            new Evidence(
                example.id(),
                request.stream().flatMap(c -> c.interaction().attempts().stream()).toList()));
      }
      for (Candidate candidate : draft.validation()) {
        examples.add(later(candidate, draft.id(), Split.VALIDATION));
      }
      for (Candidate candidate : draft.holdout()) {
        examples.add(later(candidate, draft.id(), Split.HOLDOUT));
      }
    }
    for (Drafted draft : kept) {
      recurring += draft.holdout().stream().filter(c -> learnt.contains(c.problemText())).count();
    }
    examples.addAll(anchors);
    examples.sort(Comparator.comparing(example -> example.id().value()));
    evidence.sort(Comparator.comparing(entry -> entry.exampleId().value()));

    Map<String, Object> figures = new LinkedHashMap<>();
    for (Split split : Split.values()) {
      figures.put(
          split.name().toLowerCase(java.util.Locale.ROOT),
          examples.stream().filter(example -> example.split() == split).count());
    }
    Set<InteractionId> surviving = new HashSet<>();
    examples.forEach(example -> surviving.addAll(example.sourceInteractionIds()));
    figures.put("interactions_in", (long) candidates.size());
    figures.put("interactions_in_a_split", (long) surviving.size());
    figures.put("clusters_chosen", (long) kept.size());
    figures.put("clusters_looked_at", (long) choices.size());
    figures.put("holdout_exact_recurrences", recurring);
    figures.put("verifier_calls", candidates.stream().mapToLong(Candidate::verifierCalls).sum());
    figures.put("verifier_faults", candidates.stream().mapToLong(Candidate::faults).sum());
    return new Curriculum(examples, evidence, List.copyOf(steps), choices, figures);
  }

  private Example later(Candidate candidate, ClusterId cluster, Split split) {
    return example(
        candidate, cluster, split, List.of(candidate), candidate.solution().orElse(null), 1);
  }

  private static Example example(
      Candidate candidate,
      @Nullable ClusterId cluster,
      Split split,
      List<Candidate> sources,
      @Nullable Attempt solution,
      double weight) {
    Interaction it = candidate.interaction();
    Attempt answer = solution == null ? candidate.solution().orElse(null) : solution;
    List<InteractionId> ids =
        sources.stream()
            .map(source -> source.interaction().id())
            .sorted(Comparator.comparing(InteractionId::value))
            .toList();
    String key =
        split == Split.TRAIN
            ? "train\n" + cluster + "\n" + candidate.requestDigest()
            : split + "\n" + it.id().value();
    return new Example(
        new ExampleId("x" + Digests.sha256(key).substring(0, 24)),
        cluster,
        ids,
        it.occurredAt(),
        it.conversation(),
        it.tenant(),
        it.subject(),
        it.tags(),
        it.messages(),
        answer == null ? null : answer.text(),
        it.reference(),
        Objects.requireNonNull(candidate.verifier(), "only what can be verified gets here"),
        answer == null ? 0 : answer.score() == null ? 1 : answer.score(),
        weight,
        split);
  }

  private static ClusterId cluster(Candidate candidate) {
    return Objects.requireNonNull(candidate.clusterId(), "the anchor's pool was left behind");
  }

  private String hash(String purpose, String of) {
    return Digests.sha256(plan.seed() + "\n" + purpose + "\n" + of);
  }

  private <T> List<T> step(String name, List<T> in, List<T> out, String why) {
    steps.add(new Curriculum.Step(name, in.size(), out.size(), why));
    return out;
  }
}
