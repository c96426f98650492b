package io.knack.consolidation.episodes;

import io.knack.consolidation.draft.Injections;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The solutions of each cluster that are looked at: a bounded number of the shortest. */
final class Candidates {
  private final RememberPlan plan;
  private final Map<String, Pool> pools = new TreeMap<>();
  private long refused;

  /** Of one cluster and tenant. */
  static final class Pool {
    private final ClusterId cluster;
    private final @Nullable TenantId tenant;
    private final PriorityQueue<Solution> shortest =
        new PriorityQueue<>(Solution.LENGTH.reversed());
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

    List<Solution> shortestFirst() {
      return shortest.stream().sorted(Solution.LENGTH).toList();
    }
  }

  Candidates(RememberPlan plan) {
    this.plan = plan;
  }

  void take(Solution solution) {
    TenantId tenant = solution.tenant();
    String key = solution.cluster().value() + "\n" + (tenant == null ? "" : tenant.value());
    Pool pool = pools.computeIfAbsent(key, k -> new Pool(solution.cluster(), tenant));
    Solution longest = pool.shortest.peek();
    if (pool.shortest.size() >= plan.candidates()
        && longest != null
        && Solution.LENGTH.compare(solution, longest) >= 0) {
      return;
    }
    if (pool.problems.contains(solution.problem())) {
      return;
    }
    if (Injections.inEpisode(solution.problem()) || Injections.inEpisode(solution.completion())) {
      refused++;
      return;
    }
    pool.problems.add(solution.problem());
    pool.shortest.add(solution);
    if (pool.shortest.size() > plan.candidates()) {
      Solution gone = pool.shortest.poll();
      if (gone != null) {
        pool.problems.remove(gone.problem());
      }
    }
  }

  List<Pool> pools() {
    return List.copyOf(pools.values());
  }

  /** Those of which the problem or the solution attacks whoever reads it. */
  long refused() {
    return refused;
  }
}
