package io.knack.spark.mine;

import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * Communities by local moving and aggregation (Blondel et al., 2008), with a queue in place of full
 * sweeps and a refinement of each community before it is aggregated, so that none falls apart
 * (Traag, Waltman, van Eck: "From Louvain to Leiden", 2019). No randomness: nodes are visited in
 * their order and ties go to the lower community, so that the same graph gives the same answer.
 *
 * <p>The quality is {@code sum over communities (inside - resolution * strength^2 / (2 * scale))}.
 * With {@code scale} twice the weight of all edges this is modularity; with a fixed scale it has no
 * resolution limit: whether two groups merge does not depend on the rest of the graph.
 */
final class Louvain {
  private static final int LEVELS = 20;

  private Louvain() {}

  /** Community of each node, numbered from 0 by first member. */
  static int[] communities(WeightedGraph graph, double resolution) {
    return communities(graph, resolution, totalStrength(graph));
  }

  static int[] communities(WeightedGraph graph, double resolution, double scale) {
    int[] assignment = new int[graph.nodes()];
    for (int i = 0; i < assignment.length; i++) {
      assignment[i] = i;
    }
    double penalty = scale > 0 ? resolution / scale : 0;
    WeightedGraph level = graph;
    int[] start = identity(graph.nodes());
    for (int depth = 0; depth < LEVELS; depth++) {
      int[] moved = move(level, start, penalty);
      int groups = relabel(moved);
      if (groups == level.nodes()) {
        return relabelled(compose(assignment, moved));
      }
      int[] refined = refine(level, moved, penalty);
      int parts = relabel(refined);
      if (parts == level.nodes()) {
        // Nothing to aggregate below the communities: aggregate the communities themselves.
        refined = moved;
        parts = groups;
      }
      int[] nextStart = new int[parts];
      for (int node = 0; node < level.nodes(); node++) {
        nextStart[refined[node]] = moved[node];
      }
      relabel(nextStart);
      assignment = compose(assignment, refined);
      level = level.quotient(refined, parts);
      start = nextStart;
    }
    return relabelled(compose(assignment, start));
  }

  static double totalStrength(WeightedGraph graph) {
    double total = 0;
    for (int node = 0; node < graph.nodes(); node++) {
      total += graph.strength(node);
    }
    return total;
  }

  private static int[] move(WeightedGraph graph, int[] start, double penalty) {
    int n = graph.nodes();
    int[] community = start.clone();
    double[] strength = new double[n];
    double[] total = new double[n];
    for (int node = 0; node < n; node++) {
      strength[node] = graph.strength(node);
      total[community[node]] += strength[node];
    }
    ArrayDeque<Integer> queue = new ArrayDeque<>(n);
    boolean[] queued = new boolean[n];
    for (int node = 0; node < n; node++) {
      queue.add(node);
      queued[node] = true;
    }
    double[] links = new double[n];
    int[] seen = new int[n];
    long budget = 40L * n + 1000;
    while (!queue.isEmpty() && budget-- > 0) {
      int node = queue.poll();
      queued[node] = false;
      int count = 0;
      for (int e = graph.offsets()[node]; e < graph.offsets()[node + 1]; e++) {
        int c = community[graph.targets()[e]];
        if (links[c] == 0) {
          seen[count++] = c;
        }
        links[c] += graph.weights()[e];
      }
      int old = community[node];
      total[old] -= strength[node];
      int best = old;
      double bestGain = links[old] - penalty * strength[node] * total[old];
      for (int s = 0; s < count; s++) {
        int c = seen[s];
        double gain = links[c] - penalty * strength[node] * total[c];
        if (gain > bestGain + 1e-12
            || (gain > bestGain - 1e-12 && c < best && c != old && best != old)) {
          best = c;
          bestGain = gain;
        }
      }
      for (int s = 0; s < count; s++) {
        links[seen[s]] = 0;
      }
      total[best] += strength[node];
      if (best != old) {
        community[node] = best;
        for (int e = graph.offsets()[node]; e < graph.offsets()[node + 1]; e++) {
          int other = graph.targets()[e];
          if (community[other] != best && !queued[other]) {
            queue.add(other);
            queued[other] = true;
          }
        }
      }
    }
    return community;
  }

  /** Within each community, singletons merge greedily into well-connected parts. */
  private static int[] refine(WeightedGraph graph, int[] community, double penalty) {
    int n = graph.nodes();
    int[] part = identity(n);
    double[] strength = new double[n];
    double[] total = new double[n];
    int[] size = new int[n];
    for (int node = 0; node < n; node++) {
      strength[node] = graph.strength(node);
      total[node] = strength[node];
      size[node] = 1;
    }
    double[] links = new double[n];
    int[] seen = new int[n];
    for (int node = 0; node < n; node++) {
      if (size[part[node]] > 1) {
        continue;
      }
      int count = 0;
      for (int e = graph.offsets()[node]; e < graph.offsets()[node + 1]; e++) {
        int other = graph.targets()[e];
        if (community[other] == community[node]) {
          int p = part[other];
          if (links[p] == 0) {
            seen[count++] = p;
          }
          links[p] += graph.weights()[e];
        }
      }
      int best = part[node];
      double bestGain = 0;
      for (int s = 0; s < count; s++) {
        int p = seen[s];
        double gain = links[p] - penalty * strength[node] * total[p];
        if (p != part[node] && gain > bestGain + 1e-12) {
          best = p;
          bestGain = gain;
        }
        links[p] = 0;
      }
      if (best != part[node]) {
        total[part[node]] -= strength[node];
        size[part[node]]--;
        part[node] = best;
        total[best] += strength[node];
        size[best]++;
      }
    }
    return part;
  }

  private static int[] identity(int n) {
    int[] all = new int[n];
    for (int i = 0; i < n; i++) {
      all[i] = i;
    }
    return all;
  }

  private static int[] compose(int[] outer, int[] inner) {
    int[] result = new int[outer.length];
    for (int i = 0; i < outer.length; i++) {
      result[i] = inner[outer[i]];
    }
    return result;
  }

  private static int[] relabelled(int[] labels) {
    relabel(labels);
    return labels;
  }

  /** Renumbers labels from 0 in order of first appearance; returns how many. */
  static int relabel(int[] labels) {
    int max = -1;
    for (int label : labels) {
      max = Math.max(max, label);
    }
    int[] map = new int[max + 1];
    Arrays.fill(map, -1);
    int next = 0;
    for (int i = 0; i < labels.length; i++) {
      if (map[labels[i]] < 0) {
        map[labels[i]] = next++;
      }
      labels[i] = map[labels[i]];
    }
    return next;
  }
}
