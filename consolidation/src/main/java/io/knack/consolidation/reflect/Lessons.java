package io.knack.consolidation.reflect;

import io.knack.contracts.Attempt;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Outcome;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.TenantId;
import io.knack.practice.prompt.Prompts.Case;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Gathers lessons from a curriculum in two passes over examples and one over evidence. What can be
 * replayed comes first, so that what is held is bounded by the cases and problems of clusters that
 * have validation problems enough, not by the curriculum.
 */
final class Lessons {
  /** The newest is kept; the id decides between equals. */
  private static final Comparator<Example> AGE =
      Comparator.comparing(Example::occurredAt).thenComparing(e -> e.id().value());

  private final ReflectPlan plan;
  private final Map<String, Pool> pools = new TreeMap<>();
  private long untested;

  private static final class Pool {
    private final ClusterId cluster;
    private final @Nullable TenantId tenant;
    private final PriorityQueue<Example> train = new PriorityQueue<>(AGE);
    private final PriorityQueue<Example> validation = new PriorityQueue<>(AGE);

    private Pool(ClusterId cluster, @Nullable TenantId tenant) {
      this.cluster = cluster;
      this.tenant = tenant;
    }
  }

  Lessons(ReflectPlan plan) {
    this.plan = plan;
  }

  /** Clusters left out because they have too few validation problems to replay a rule on. */
  long untested() {
    return untested;
  }

  /**
   * Lessons in the order of clusters and tenants.
   *
   * @param examples opens the curriculum's examples, more than once
   */
  List<Lesson> gather(Supplier<Stream<Example>> examples, Supplier<Stream<Evidence>> evidence) {
    each(examples, example -> take(example, Split.VALIDATION));
    pools.values().removeIf(pool -> pool.validation.size() < plan.replaying().least());
    Set<String> known = new HashSet<>(pools.keySet());
    Set<String> left = new HashSet<>();
    each(
        examples,
        example -> {
          if (known.contains(key(example))) {
            take(example, Split.TRAIN);
          } else if (example.clusterId() != null && example.split() == Split.TRAIN) {
            left.add(key(example));
          }
        });
    untested = left.size();
    Set<ExampleId> wanted = new HashSet<>();
    pools.values().forEach(pool -> pool.train.forEach(e -> wanted.add(e.id())));
    Map<ExampleId, List<Attempt>> attempts = new HashMap<>();
    each(
        evidence,
        e -> {
          if (wanted.contains(e.exampleId())) {
            attempts.put(e.exampleId(), e.attempts());
          }
        });
    List<Lesson> lessons = new ArrayList<>();
    for (Pool pool : pools.values()) {
      List<Lesson.SolvedCase> cases = new ArrayList<>();
      for (Example example : newestFirst(pool.train)) {
        List<Attempt> shown = shown(example, attempts.getOrDefault(example.id(), List.of()));
        if (!shown.isEmpty()) {
          cases.add(new Lesson.SolvedCase(example, new Case(example.problem(), shown)));
        }
      }
      lessons.add(new Lesson(pool.cluster, pool.tenant, cases, newestFirst(pool.validation)));
    }
    return lessons;
  }

  private static <T> void each(Supplier<Stream<T>> rows, Consumer<T> action) {
    try (Stream<T> open = rows.get()) {
      open.forEach(action);
    }
  }

  private String key(Example example) {
    return example.clusterId() + "\n" + (plan.shareAcrossTenants() ? "" : example.tenant().value());
  }

  private void take(Example example, Split split) {
    ClusterId cluster = example.clusterId();
    if (cluster == null || example.split() != split) {
      return;
    }
    TenantId tenant = plan.shareAcrossTenants() ? null : example.tenant();
    Pool pool = pools.computeIfAbsent(key(example), k -> new Pool(cluster, tenant));
    boolean train = split == Split.TRAIN;
    PriorityQueue<Example> queue = train ? pool.train : pool.validation;
    queue.add(example);
    if (queue.size() > (train ? plan.drafting().cases() : plan.replaying().problems())) {
      queue.poll();
    }
  }

  private static List<Example> newestFirst(PriorityQueue<Example> queue) {
    return queue.stream().sorted(AGE.reversed()).toList();
  }

  /** Failures beside the success: what was wrong shows what the rule must say. */
  private List<Attempt> shown(Example example, List<Attempt> attempts) {
    List<Attempt> shown = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (Attempt attempt : attempts) {
      if (attempt.outcome() == Outcome.FAILED
          && shown.size() < plan.drafting().attempts() - 1
          && seen.add(attempt.text())) {
        shown.add(attempt);
      }
    }
    if (example.completion() != null) {
      shown.add(
          new Attempt(null, example.completion(), 0, 0, 0, example.score(), Outcome.VERIFIED));
    } else {
      attempts.stream()
          .filter(a -> a.outcome() == Outcome.VERIFIED)
          .min(Comparator.comparingInt(a -> a.text().length()))
          .ifPresent(shown::add);
    }
    return shown.stream().anyMatch(a -> a.outcome() == Outcome.VERIFIED) ? shown : List.of();
  }
}
