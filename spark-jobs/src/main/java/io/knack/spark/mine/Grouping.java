package io.knack.spark.mine;

import java.util.Arrays;

/**
 * Families, clusters and the remainder, from the neighbours of the nodes of one tenant.
 *
 * <p>Families are communities of the shared-neighbour graph; clusters are communities at a finer
 * resolution of the same graph without the edges between families. A node belongs to its cluster
 * when the cluster surrounds it: its recurrence score, the mean similarity to the three nearest of
 * its own cluster times the cluster's share of its ten nearest, reaches the floor. A node's copies
 * count as its nearest.
 *
 * <p>Resolution grows with the number of nodes, since larger logs hold both more problems and more
 * of each: that of clusters with its square root, that of families, above {@value #REFERENCE}
 * nodes, with its fourth root.
 *
 * @param family of each node, from 0
 * @param cluster of each node, from 0; -1 where it belongs to none
 * @param score recurrence, in [0, 1]
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record Grouping(int[] family, int[] cluster, float[] score, int families, int clusters) {
  private static final double REFERENCE = 3000;

  static Grouping of(NeighbourGraph neighbours, int[] copies, MinePlan plan) {
    int n = neighbours.nodes();
    WeightedGraph graph = neighbours.shared(plan.neighbours());
    double scale = Louvain.totalStrength(graph);
    double growth = Math.sqrt(n / REFERENCE);
    int[] family =
        Louvain.communities(graph, plan.familyResolution() * Math.max(1, Math.sqrt(growth)), scale);
    int[] fine =
        Louvain.communities(
            graph.within(family), Math.max(2, plan.clusterResolution() * growth), scale);
    float[] score = new float[n];
    for (int i = 0; i < n; i++) {
      score[i] = recurrence(neighbours, copies, fine, i);
    }
    int groups = Louvain.relabel(fine);
    long[] support = new long[groups];
    for (int i = 0; i < n; i++) {
      if (score[i] >= plan.recurrenceFloor()) {
        support[fine[i]] += copies[i];
      }
    }
    int[] number = new int[groups];
    Arrays.fill(number, -1);
    int clusters = 0;
    int[] cluster = new int[n];
    for (int i = 0; i < n; i++) {
      boolean in = score[i] >= plan.recurrenceFloor() && support[fine[i]] >= plan.minClusterSize();
      if (in && number[fine[i]] < 0) {
        number[fine[i]] = clusters++;
      }
      cluster[i] = in ? number[fine[i]] : -1;
    }
    return new Grouping(family, cluster, score, Louvain.relabel(family), clusters);
  }

  private static float recurrence(NeighbourGraph graph, int[] copies, int[] group, int node) {
    int near = Math.min(3, copies[node] - 1);
    double similarity = near;
    int looked = Math.min(10, copies[node] - 1);
    int own = looked;
    for (int a = 0; a < graph.k() && (near < 3 || looked < 10); a++) {
      int at = node * graph.k() + a;
      int other = graph.neighbours()[at];
      if (other < 0) {
        break;
      }
      boolean same = group[other] == group[node];
      if (same) {
        int more = Math.min(3 - near, copies[other]);
        similarity += more * (double) graph.similarities()[at];
        near += more;
      }
      int more = Math.min(10 - looked, copies[other]);
      looked += more;
      own += same ? more : 0;
    }
    return looked == 0 ? 0 : (float) (similarity / 3 * own / looked);
  }
}
