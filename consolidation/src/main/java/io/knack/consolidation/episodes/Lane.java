package io.knack.consolidation.episodes;

import io.knack.contracts.Episode;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.store.Digests;
import io.knack.contracts.table.RowDigest;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.FeatureSpace;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BooleanSupplier;

/**
 * The episodes of every n-th part of a {@link Spill}, made while they are asked for, with the
 * figures of those that were. One thread at a time; lanes of one spill run side by side.
 */
final class Lane implements Iterable<Episode> {
  private final RememberPlan plan;
  private final Spill spill;
  private final FeatureSpace space;
  private final int first;
  private final int step;
  private final BooleanSupplier stop;
  private final RowDigest digest = Tables.EPISODES.rowDigest();
  private long refused;
  private long clusters;
  private long episodes;
  private long tokens;

  /**
   * @param stop asked before each part; when it says so the episodes end early
   */
  Lane(
      RememberPlan plan,
      Spill spill,
      FeatureSpace space,
      int first,
      int step,
      BooleanSupplier stop) {
    this.plan = plan;
    this.spill = spill;
    this.space = space;
    this.first = first;
    this.step = step;
    this.stop = stop;
  }

  RowDigest digest() {
    return digest;
  }

  long refused() {
    return refused;
  }

  /** Clusters, by tenant where tenants keep their own, that had a solution. */
  long clusters() {
    return clusters;
  }

  long episodes() {
    return episodes;
  }

  /** Of all episodes, in a prompt. */
  long tokens() {
    return tokens;
  }

  @Override
  public Iterator<Episode> iterator() {
    Deque<Candidates.Pool> pools = new ArrayDeque<>();
    Deque<Episode> ready = new ArrayDeque<>();
    return new Iterator<>() {
      private int part = first;
      private Map<ClusterId, SparseVector> centroids = Map.of();

      @Override
      public boolean hasNext() {
        while (ready.isEmpty()) {
          Candidates.Pool pool = pools.poll();
          if (pool != null) {
            ready.addAll(choose(plan, pool, centroids, space));
          } else if (part < Spill.PARTS && !stop.getAsBoolean()) {
            Candidates candidates = new Candidates(plan);
            spill.solutions(part, candidates::take);
            centroids = spill.centroids(part);
            pools.addAll(candidates.pools());
            clusters += candidates.pools().size();
            refused += candidates.refused();
            part += step;
          } else {
            return false;
          }
        }
        return true;
      }

      @Override
      public Episode next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        Episode episode = ready.remove();
        digest.add(episode);
        episodes++;
        tokens += episode.tokens();
        return episode;
      }
    };
  }

  /** Of a cluster that the latest mining does not know, none. */
  static List<Episode> choose(
      RememberPlan plan,
      Candidates.Pool pool,
      Map<ClusterId, SparseVector> centroids,
      FeatureSpace space) {
    SparseVector centroid = centroids.get(pool.cluster());
    if (centroid == null) {
      return List.of();
    }
    List<Solution> solutions = pool.shortestFirst();
    List<SparseVector> vectors = space.vectors(solutions.stream().map(Solution::problem).toList());
    List<Episode> offered = new ArrayList<>();
    for (int i = 0; i < solutions.size(); i++) {
      offered.add(episode(solutions.get(i), vectors.get(i), space));
    }
    return new Selection(plan, space).choose(offered, centroid);
  }

  private static Episode episode(Solution solution, SparseVector vector, FeatureSpace space) {
    String id =
        Digests.sha256(solution.cluster() + "\n" + solution.tenant() + "\n" + solution.source());
    return new Episode(
        new EpisodeId("episode-" + id.substring(0, 16)),
        solution.source(),
        solution.subject(),
        solution.tenant(),
        solution.cluster(),
        solution.problem(),
        solution.completion(),
        tokens(solution.problem()) + tokens(solution.completion()),
        vector,
        space.digest());
  }

  /** An estimate that needs no tokenizer: four bytes a token, at least one a word. */
  private static long tokens(String text) {
    long words = text.isBlank() ? 0 : text.strip().split("\\s+", -1).length;
    return Math.max(words, (text.getBytes(StandardCharsets.UTF_8).length + 3) / 4);
  }
}
