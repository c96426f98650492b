package io.knack.spark.mine;

import java.util.Arrays;

/**
 * The nearest of each node, nearest first.
 *
 * @param k places of each node; unused ones hold -1
 * @param neighbours {@code neighbours[node * k + place]}
 * @param similarities likewise, descending
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record NeighbourGraph(int nodes, int k, int[] neighbours, float[] similarities) {
  private static final int LEAST = 3;

  static NeighbourGraph empty(int nodes, int k) {
    int[] neighbours = new int[nodes * k];
    Arrays.fill(neighbours, -1);
    return new NeighbourGraph(nodes, k, neighbours, new float[nodes * k]);
  }

  int degree(int node) {
    int degree = 0;
    while (degree < k && neighbours[node * k + degree] >= 0) {
      degree++;
    }
    return degree;
  }

  /**
   * Puts a neighbour in its place; ties go to the lower number, so that the order of calls does not
   * matter. A neighbour that is known already is left alone.
   */
  void offer(int node, int neighbour, float similarity) {
    int from = node * k;
    int last = from + k - 1;
    if (!before(similarity, neighbour, last)) {
      return;
    }
    for (int at = from; at <= last && neighbours[at] >= 0; at++) {
      if (neighbours[at] == neighbour) {
        return;
      }
    }
    int at = last;
    while (at > from && before(similarity, neighbour, at - 1)) {
      neighbours[at] = neighbours[at - 1];
      similarities[at] = similarities[at - 1];
      at--;
    }
    neighbours[at] = neighbour;
    similarities[at] = similarity;
  }

  private boolean before(float similarity, int neighbour, int at) {
    return neighbours[at] < 0
        || similarity > similarities[at]
        || (similarity == similarities[at] && neighbour < neighbours[at]);
  }

  /** The part of the graph between two nodes, whose neighbours all lie in it too. */
  NeighbourGraph slice(int from, int to) {
    int[] part = Arrays.copyOfRange(neighbours, from * k, to * k);
    for (int i = 0; i < part.length; i++) {
      part[i] = part[i] < 0 ? -1 : part[i] - from;
    }
    return new NeighbourGraph(
        to - from, k, part, Arrays.copyOfRange(similarities, from * k, to * k));
  }

  /**
   * Nodes near each other, weighted by the neighbours that they share among the nearest {@code
   * reach} of both: the similarity of Jarvis and Patrick (1973), which adapts to the density around
   * each node. One-sided neighbours count half, and neighbours that are less near than the nearest
   * of either count less, by the square. Copies count: a node whose nearest {@code reach} texts are
   * its own copies, or those of one neighbour, does not look past its {@value #LEAST} nearest.
   *
   * @param copies texts that each node stands for
   */
  WeightedGraph shared(int reach, int[] copies) {
    int[] widths = new int[nodes];
    for (int i = 0; i < nodes; i++) {
      int texts = copies[i] - 1;
      while (widths[i] < Math.min(reach, degree(i)) && (widths[i] < LEAST || texts < reach)) {
        texts += copies[neighbours[i * k + widths[i]++]];
      }
    }
    int[] stamp = new int[nodes];
    Arrays.fill(stamp, -1);
    WeightedGraph.Builder edges = new WeightedGraph.Builder(nodes);
    for (int i = 0; i < nodes; i++) {
      for (int a = 0; a < widths[i]; a++) {
        stamp[neighbours[i * k + a]] = i;
      }
      for (int a = 0; a < widths[i]; a++) {
        int j = neighbours[i * k + a];
        boolean mutual = false;
        int common = 0;
        for (int b = 0; b < widths[j]; b++) {
          int other = neighbours[j * k + b];
          mutual |= other == i;
          common += stamp[other] == i ? 1 : 0;
        }
        double best = Math.max(similarities[i * k], similarities[j * k]);
        double closeness = best <= 0 ? 1 : Math.min(1, similarities[i * k + a] / best);
        double weight =
            (1.0 + common) / (1 + Math.min(widths[i], widths[j])) * closeness * closeness;
        if (!mutual) {
          edges.add(i, j, (float) (weight / 2));
        } else if (i < j) {
          edges.add(i, j, (float) weight);
        }
      }
    }
    return edges.build();
  }
}
