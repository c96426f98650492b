package io.knack.spark.mine;

import java.util.Arrays;

/**
 * An undirected graph in rows: both directions of every edge are stored.
 *
 * @param offsets where the edges of each node begin; one more than nodes
 * @param loops weight of each node's edge to itself, counted once
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record WeightedGraph(int nodes, int[] offsets, int[] targets, float[] weights, double[] loops) {

  /** Weight of all edges that touch a node, loops twice. */
  double strength(int node) {
    double sum = 2 * loops[node];
    for (int e = offsets[node]; e < offsets[node + 1]; e++) {
      sum += weights[e];
    }
    return sum;
  }

  /** The graph without the edges between groups. */
  WeightedGraph within(int[] group) {
    Builder kept = new Builder(nodes);
    for (int node = 0; node < nodes; node++) {
      for (int e = offsets[node]; e < offsets[node + 1]; e++) {
        if (node < targets[e] && group[node] == group[targets[e]]) {
          kept.add(node, targets[e], weights[e]);
        }
      }
    }
    return kept.build();
  }

  /** The graph of groups: weights between and inside them summed. */
  WeightedGraph quotient(int[] group, int groups) {
    int[] start = new int[groups + 1];
    for (int node = 0; node < nodes; node++) {
      start[group[node] + 1]++;
    }
    for (int g = 0; g < groups; g++) {
      start[g + 1] += start[g];
    }
    int[] members = new int[nodes];
    int[] next = Arrays.copyOf(start, groups);
    for (int node = 0; node < nodes; node++) {
      members[next[group[node]]++] = node;
    }
    double[] loop = new double[groups];
    int[] into = new int[groups + 1];
    int[] found = new int[Math.max(16, targets.length)];
    float[] weight = new float[found.length];
    double[] sum = new double[groups];
    int[] touched = new int[groups];
    int size = 0;
    for (int g = 0; g < groups; g++) {
      int count = 0;
      for (int m = start[g]; m < start[g + 1]; m++) {
        int node = members[m];
        loop[g] += loops[node];
        for (int e = offsets[node]; e < offsets[node + 1]; e++) {
          int other = group[targets[e]];
          if (other == g) {
            loop[g] += weights[e] / 2.0;
          } else {
            if (sum[other] == 0) {
              touched[count++] = other;
            }
            sum[other] += weights[e];
          }
        }
      }
      Arrays.sort(touched, 0, count);
      for (int t = 0; t < count; t++) {
        found[size] = touched[t];
        weight[size++] = (float) sum[touched[t]];
        sum[touched[t]] = 0;
      }
      into[g + 1] = size;
    }
    return new WeightedGraph(
        groups, into, Arrays.copyOf(found, size), Arrays.copyOf(weight, size), loop);
  }

  /** Collects edges in any order. */
  static final class Builder {
    private final int nodes;
    private int[] from = new int[1024];
    private int[] to = new int[1024];
    private float[] weight = new float[1024];
    private int size;

    Builder(int nodes) {
      this.nodes = nodes;
    }

    /** Each undirected edge once; an edge given twice counts twice. */
    void add(int a, int b, float w) {
      if (size == from.length) {
        int more = size + (size >> 1);
        from = Arrays.copyOf(from, more);
        to = Arrays.copyOf(to, more);
        weight = Arrays.copyOf(weight, more);
      }
      from[size] = a;
      to[size] = b;
      weight[size++] = w;
    }

    WeightedGraph build() {
      int[] offsets = new int[nodes + 1];
      for (int e = 0; e < size; e++) {
        offsets[from[e] + 1]++;
        offsets[to[e] + 1]++;
      }
      for (int node = 0; node < nodes; node++) {
        offsets[node + 1] += offsets[node];
      }
      int[] next = Arrays.copyOf(offsets, nodes);
      int[] targets = new int[2 * size];
      float[] weights = new float[2 * size];
      for (int e = 0; e < size; e++) {
        int a = next[from[e]]++;
        targets[a] = to[e];
        weights[a] = weight[e];
        int b = next[to[e]]++;
        targets[b] = from[e];
        weights[b] = weight[e];
      }
      return new WeightedGraph(nodes, offsets, targets, weights, new double[nodes]);
    }
  }
}
