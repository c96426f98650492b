package io.knack.spark.mine;

import io.knack.practice.features.TextVector;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Families, clusters and the remainder of one tenant.
 *
 * <p>Three steps. {@link #fine}: small pure groups, as communities of the shared-neighbour graph at
 * a resolution that grows more slowly than the number of nodes, since larger logs hold both more
 * problems and more of each. {@link Merging}: groups that are one problem in several forms become
 * one. {@link #of}: a node belongs to the cluster of its group when the group surrounds it: its
 * recurrence score, the mean similarity to the three nearest of its own group times the group's
 * share of its ten nearest, reaches the floor; a node's copies count as its nearest. {@link
 * Families} put groups together at a coarser resolution, so that a cluster lies in one family.
 *
 * @param family of each node, from 0
 * @param cluster of each node, from 0; -1 where it belongs to none
 * @param score recurrence, in [0, 1]
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record Grouping(int[] family, int[] cluster, float[] score, int families, int clusters) {
  private static final double REFERENCE = 3000;
  private static final double GROWTH = 0.75;

  /** Of the floor of recurrence: what texts reach on average that are nearly a cluster. */
  private static final double NEARLY = 0.6;

  /**
   * All three steps on texts at hand.
   *
   * @param purpose of the families
   */
  static Grouping of(TextVector[] vectors, int[] copies, Families.Purpose purpose, MinePlan plan) {
    int n = vectors.length;
    NeighbourGraph near = NeighbourGraph.empty(n, Math.max(10, plan.neighbours()));
    Cell.neighbours(IntStream.range(0, n).toArray(), vectors, near.k(), near::offer);
    WeightedGraph graph = near.shared(plan.neighbours(), copies);
    int[] fine = fine(graph, plan);
    int groups = Arrays.stream(fine).max().orElse(0) + 1;
    return of(near, graph, copies, fine, GroupMeans.of(vectors, fine, groups), purpose, plan);
  }

  /** Small pure groups of nodes, numbered from 0 by first member. */
  static int[] fine(WeightedGraph graph, MinePlan plan) {
    double times = graph.nodes() / REFERENCE;
    double growth = Math.max(Math.sqrt(times), Math.pow(times, GROWTH));
    int[] fine =
        Louvain.communities(
            graph, Math.max(2, plan.clusterResolution() * growth), Louvain.totalStrength(graph));
    Louvain.relabel(fine);
    return fine;
  }

  /**
   * @param graph of the neighbours
   * @param fine group of each node, as {@link #fine} gives it
   * @param means of each group's texts, see {@link GroupMeans}
   * @param purpose of the families
   */
  static Grouping of(
      NeighbourGraph neighbours,
      WeightedGraph graph,
      int[] copies,
      int[] fine,
      double[][] means,
      Families.Purpose purpose,
      MinePlan plan) {
    int n = neighbours.nodes();
    long[] sizes = new long[means.length];
    for (int i = 0; i < n; i++) {
      sizes[fine[i]]++;
    }
    int[] merged = Merging.of(means, sizes, Likeness.of(Merging.floor(means, plan)));
    int[] group = new int[n];
    for (int i = 0; i < n; i++) {
      group[i] = merged[fine[i]];
    }
    int groups = Louvain.relabel(group);
    float[] score = new float[n];
    long[] support = new long[groups];
    for (int i = 0; i < n; i++) {
      score[i] = recurrence(neighbours, copies, group, i);
      if (score[i] >= plan.recurrenceFloor()) {
        support[group[i]] += copies[i];
      }
    }
    int[] number = new int[groups];
    Arrays.fill(number, -1);
    int clusters = 0;
    int[] cluster = new int[n];
    for (int i = 0; i < n; i++) {
      boolean in = score[i] >= plan.recurrenceFloor() && support[group[i]] >= plan.minClusterSize();
      if (in && number[group[i]] < 0) {
        number[group[i]] = clusters++;
      }
      cluster[i] = in ? number[group[i]] : -1;
    }
    int[] into = new int[means.length];
    for (int i = 0; i < n; i++) {
      into[fine[i]] = group[i];
    }
    long[] grown = Families.sums(sizes, into, groups);
    double[][] grownMeans = Families.means(means, sizes, into, grown);
    WeightedGraph links = graph.quotient(group, groups);
    int[] familyOf =
        Families.of(
            links,
            grownMeans,
            grown,
            plan.familyResolution() * Math.max(1, Math.pow(n / REFERENCE, 0.25)),
            purpose,
            plan);
    if (purpose == Families.Purpose.PEOPLE && plan.encoder() == null) {
      boolean[] stand = stand(group, groups, cluster, score, plan);
      Families.join(familyOf, links, grownMeans, grown, stand);
    }
    int[] family = new int[n];
    for (int i = 0; i < n; i++) {
      family[i] = familyOf[group[i]];
    }
    return new Grouping(family, cluster, score, Louvain.relabel(family), clusters);
  }

  /** Groups that are worth a family: some of their texts are a cluster, or nearly. */
  private static boolean[] stand(
      int[] group, int groups, int[] cluster, float[] score, MinePlan plan) {
    double[] beyond = new double[groups];
    boolean[] stand = new boolean[groups];
    for (int i = 0; i < group.length; i++) {
      beyond[group[i]] += score[i] - NEARLY * plan.recurrenceFloor();
      stand[group[i]] |= cluster[i] >= 0;
    }
    for (int g = 0; g < groups; g++) {
      stand[g] |= beyond[g] >= 0;
    }
    return stand;
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
