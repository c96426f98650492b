package io.knack.consolidation.episodes;

import io.knack.contracts.Episode;
import io.knack.contracts.SparseVector;
import io.knack.practice.features.FeatureSpace;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses the few episodes that serve a cluster best: central, unlike each other, short. Greedy
 * maximal marginal relevance (Carbonell and Goldstein, 1998) under a budget of tokens.
 */
final class Selection {
  private final RememberPlan plan;
  private final FeatureSpace space;

  Selection(RememberPlan plan, FeatureSpace space) {
    this.plan = plan;
    this.space = space;
  }

  /** The chosen ones, the best first. */
  List<Episode> choose(List<Episode> candidates, SparseVector centroid) {
    int n = candidates.size();
    double[] merit = new double[n];
    double[] nearest = new double[n];
    boolean[] out = new boolean[n];
    long longest = candidates.stream().mapToLong(Episode::tokens).max().orElse(1);
    for (int i = 0; i < n; i++) {
      double central = space.similarity(candidates.get(i).vector(), centroid);
      out[i] = central < plan.floor();
      merit[i] = central - plan.brevity() * candidates.get(i).tokens() / longest;
    }
    List<Episode> chosen = new ArrayList<>();
    long tokens = 0;
    while (chosen.size() < plan.perCluster()) {
      int best = -1;
      double bestScore = 0;
      for (int i = 0; i < n; i++) {
        double score = merit[i] - plan.diversity() * nearest[i];
        boolean fits = tokens + candidates.get(i).tokens() <= plan.tokensPerCluster();
        // What is equal to a chosen one teaches nothing.
        if (!out[i] && fits && nearest[i] < 0.9999 && (best < 0 || score > bestScore)) {
          best = i;
          bestScore = score;
        }
      }
      if (best < 0) {
        break;
      }
      Episode taken = candidates.get(best);
      chosen.add(taken);
      tokens += taken.tokens();
      out[best] = true;
      for (int i = 0; i < n && chosen.size() < plan.perCluster(); i++) {
        if (!out[i]) {
          nearest[i] =
              Math.max(nearest[i], space.similarity(candidates.get(i).vector(), taken.vector()));
        }
      }
    }
    return chosen;
  }
}
