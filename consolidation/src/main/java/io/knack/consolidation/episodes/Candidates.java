package io.knack.consolidation.episodes;

import io.knack.consolidation.draft.DraftGuard;
import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The verified solutions of each cluster that may become episodes: a bounded number of the
 * shortest, so that a million solutions take no more memory than the clusters need.
 */
final class Candidates {
  private static final Comparator<Example> LENGTH =
      Comparator.comparingInt((Example e) -> e.completion() == null ? 0 : e.completion().length())
          .thenComparing(e -> e.id().value());

  private final RememberPlan plan;
  private final Map<String, Pool> pools = new TreeMap<>();
  private long seen;
  private long refused;

  /** Of one cluster and tenant. */
  static final class Pool {
    private final ClusterId cluster;
    private final @Nullable TenantId tenant;
    private final PriorityQueue<Example> shortest = new PriorityQueue<>(LENGTH.reversed());
    private final Set<String> problems = new HashSet<>();

    private Pool(ClusterId cluster, @Nullable TenantId tenant) {
      this.cluster = cluster;
      this.tenant = tenant;
    }

    ClusterId cluster() {
      return cluster;
    }

    @Nullable TenantId tenant() {
      return tenant;
    }

    List<Example> shortestFirst() {
      return shortest.stream().sorted(LENGTH).toList();
    }
  }

  Candidates(RememberPlan plan) {
    this.plan = plan;
  }

  void take(Example example) {
    ClusterId cluster = example.clusterId();
    if (cluster == null || example.split() != Split.TRAIN || example.completion() == null) {
      return;
    }
    seen++;
    TenantId tenant = plan.shareAcrossTenants() ? null : example.tenant();
    String key = cluster.value() + "\n" + (tenant == null ? "" : tenant.value());
    Pool pool = pools.computeIfAbsent(key, k -> new Pool(cluster, tenant));
    Example longest = pool.shortest.peek();
    if (pool.shortest.size() >= plan.candidates()
        && longest != null
        && LENGTH.compare(example, longest) >= 0) {
      return;
    }
    if (DraftGuard.injects(example.problem() + "\n" + example.completion())) {
      refused++;
      return;
    }
    if (!pool.problems.add(example.problem())) {
      return;
    }
    pool.shortest.add(example);
    if (pool.shortest.size() > plan.candidates()) {
      Example gone = pool.shortest.poll();
      if (gone != null) {
        pool.problems.remove(gone.problem());
      }
    }
  }

  List<Pool> pools() {
    return List.copyOf(pools.values());
  }

  long seen() {
    return seen;
  }

  /** Those that carry instructions or markup instead of a problem and its solution. */
  long refused() {
    return refused;
  }
}
