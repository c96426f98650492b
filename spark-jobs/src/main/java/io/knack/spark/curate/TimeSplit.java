package io.knack.spark.curate;

import io.knack.contracts.Interaction;
import io.knack.contracts.Split;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Two cuts in time, the same for all clusters: what happened before the first is for training,
 * before the second for validation, and from there on it is the sealed holdout.
 *
 * <p>The gate tests tonight's memory as a whole, so it needs a number of problems, not a share of
 * them. The holdout therefore takes what the fractions leave it, and begins earlier where that is
 * less than the plan's target, up to twice its share; training and validation keep their ratio. A
 * holdout of an earlier night is never sealed again: tonight's begins behind its end.
 *
 * @param validationFrom the first moment that is not for training
 * @param holdoutFrom the first moment that is sealed; after {@code validationFrom}
 */
record TimeSplit(Instant validationFrom, Instant holdoutFrom) {

  /** How looking for the cuts ended. */
  sealed interface Ending {
    /** They are found. */
    record Cut(TimeSplit split) implements Ending {}

    /** There are none, and why. */
    record Impossible(String reason) implements Ending {}
  }

  /**
   * @param pool not empty
   * @param sealedUntil end of the last holdout of an earlier night; null without one
   */
  static Ending of(CuratePlan plan, List<Candidate> pool, @Nullable Instant sealedUntil) {
    List<Instant> times =
        pool.stream().map(candidate -> candidate.interaction().occurredAt()).sorted().toList();
    List<Instant> moments = new ArrayList<>(new TreeSet<>(times));
    if (moments.size() < 3) {
      return new Ending.Impossible(
          "the "
              + times.size()
              + " problems that can be verified happened at "
              + moments.size()
              + " different times; training, validation and holdout need one each: import logs with"
              + " times of day (--map time=PATH)");
    }
    double share = 1 - plan.trainFraction() - plan.validationFraction();
    long wanted =
        Math.max(
            Math.round(share * times.size()),
            Math.min(plan.holdoutTarget(), Math.round(Math.min(0.5, 2 * share) * times.size())));
    Instant holdoutFrom = moments.get(Math.max(2, begin(times, moments, times.size() - wanted)));
    if (sealedUntil != null && !holdoutFrom.isAfter(sealedUntil)) {
      List<Instant> fresh = moments.stream().filter(time -> time.isAfter(sealedUntil)).toList();
      long problems = times.stream().filter(time -> time.isAfter(sealedUntil)).count();
      if (fresh.isEmpty() || problems < plan.minHoldoutProblems()) {
        return new Ending.Impossible(
            "only "
                + problems
                + " problems that can be verified came after the last sealed holdout (until "
                + sealedUntil
                + "), a new one needs "
                + plan.minHoldoutProblems());
      }
      holdoutFrom = fresh.get(0);
    }
    Instant end = holdoutFrom;
    List<Instant> open = times.stream().filter(time -> time.isBefore(end)).toList();
    List<Instant> openMoments = moments.stream().filter(time -> time.isBefore(end)).toList();
    if (openMoments.size() < 2) {
      return new Ending.Impossible(
          "the problems before the holdout all happened at one time; training and validation need"
              + " one each");
    }
    double train = plan.trainFraction() / (plan.trainFraction() + plan.validationFraction());
    int first =
        Math.min(
            openMoments.size() - 1,
            Math.max(1, begin(open, openMoments, Math.round(train * open.size()))));
    return new Ending.Cut(new TimeSplit(openMoments.get(first), holdoutFrom));
  }

  /** Index of the moment at which the problems from number {@code nth} on begin. */
  private static int begin(List<Instant> sorted, List<Instant> moments, long nth) {
    Instant at = sorted.get((int) Math.min(sorted.size() - 1L, Math.max(0, nth)));
    return Collections.binarySearch(moments, at);
  }

  Split side(Candidate candidate) {
    Instant time = candidate.interaction().occurredAt();
    return time.isBefore(validationFrom)
        ? Split.TRAIN
        : time.isBefore(holdoutFrom) ? Split.VALIDATION : Split.HOLDOUT;
  }

  /**
   * Conversations and retries stay on their latest side only, so that nothing that judges was
   * learnt. The same words from another person are no leak: recurrence is the point.
   */
  List<Candidate> guarded(CuratePlan plan, List<Candidate> pool, Steps steps) {
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
      String id = node(candidate);
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
          join(parents, id, node(before));
        }
      }
    }
    Map<String, Split> latest = new HashMap<>();
    for (Candidate candidate : inTime) {
      latest.merge(
          root(parents, node(candidate)), side(candidate), (a, b) -> a.compareTo(b) >= 0 ? a : b);
    }
    return steps.took(
        "on one side only",
        inTime,
        inTime.stream()
            .filter(candidate -> latest.get(root(parents, node(candidate))) == side(candidate))
            .toList(),
        "its conversation or retry lies in a later split");
  }

  private static String node(Candidate candidate) {
    return "i:" + candidate.interaction().id().value();
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
}
