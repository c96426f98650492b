package io.knack.spark.mine;

import io.knack.practice.features.HashedSpace;
import io.knack.practice.features.TextVector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Exact nearest neighbours inside one cell, by an inverted index over the hashed n-grams and a
 * column-wise sweep over the dense block. Cost: {@code members * (members * dense width + touched
 * postings)}. A cell above {@value #LIMIT} members splits by pivots of its own, each member going
 * to its two nearest.
 */
final class Cell {
  static final int LIMIT = 4000;
  static final int TARGET = 800;

  private Cell() {}

  /** Offers every member its neighbours; {@code ids} are what the graph calls them. */
  static void neighbours(int[] ids, TextVector[] vectors, int k, Sink sink) {
    if (ids.length > LIMIT) {
      split(ids, vectors, k, sink);
      return;
    }
    int n = ids.length;
    if (n < 2) {
      return;
    }
    int width = vectors[0].dense().length;
    float[][] columns = new float[width][n];
    int[] count = new int[HashedSpace.BUCKETS];
    for (int i = 0; i < n; i++) {
      float[] dense = vectors[i].dense();
      for (int r = 0; r < width; r++) {
        columns[r][i] = dense[r];
      }
      for (int bucket : vectors[i].indices()) {
        count[bucket]++;
      }
    }
    int[] start = new int[HashedSpace.BUCKETS + 1];
    for (int b = 0; b < HashedSpace.BUCKETS; b++) {
      start[b + 1] = start[b] + (count[b] > 1 ? count[b] : 0);
    }
    int[] next = Arrays.copyOf(start, HashedSpace.BUCKETS);
    int[] postings = new int[start[HashedSpace.BUCKETS]];
    float[] weights = new float[postings.length];
    for (int i = 0; i < n; i++) {
      TextVector vector = vectors[i];
      for (int e = 0; e < vector.indices().length; e++) {
        int bucket = vector.indices()[e];
        if (count[bucket] > 1) {
          postings[next[bucket]] = i;
          weights[next[bucket]++] = vector.values()[e];
        }
      }
    }
    float[] scores = new float[n];
    NeighbourGraph found = NeighbourGraph.empty(1, k);
    for (int i = 0; i < n; i++) {
      Arrays.fill(scores, 0);
      TextVector vector = vectors[i];
      for (int r = 0; r < width; r++) {
        float weight = vector.dense()[r];
        float[] column = columns[r];
        for (int j = 0; j < n; j++) {
          scores[j] += weight * column[j];
        }
      }
      for (int e = 0; e < vector.indices().length; e++) {
        int bucket = vector.indices()[e];
        float weight = vector.values()[e];
        for (int p = start[bucket]; p < start[bucket + 1]; p++) {
          scores[postings[p]] += weight * weights[p];
        }
      }
      Arrays.fill(found.neighbours(), -1);
      float least = 0;
      for (int j = 0; j < n; j++) {
        if (scores[j] >= least && scores[j] > 0 && j != i) {
          found.offer(0, ids[j], Math.min(1, scores[j]));
          least = found.neighbours()[k - 1] < 0 ? 0 : found.similarities()[k - 1];
        }
      }
      for (int a = 0; a < k && found.neighbours()[a] >= 0; a++) {
        sink.accept(ids[i], found.neighbours()[a], found.similarities()[a]);
      }
    }
  }

  private static void split(int[] ids, TextVector[] vectors, int k, Sink sink) {
    int parts = (ids.length + TARGET - 1) / TARGET;
    float[][] pivots = new float[parts][];
    for (int p = 0; p < parts; p++) {
      pivots[p] = vectors[(int) ((long) p * ids.length / parts)].dense();
    }
    List<List<Integer>> members = new ArrayList<>();
    for (int p = 0; p < parts; p++) {
      members.add(new ArrayList<>());
    }
    for (int i = 0; i < ids.length; i++) {
      for (int p : nearest(vectors[i].dense(), pivots, 2)) {
        members.get(p).add(i);
      }
    }
    for (List<Integer> part : members) {
      // A part that does not shrink is one of like members: any LIMIT of them are near.
      for (int from = 0; from < part.size(); from += LIMIT) {
        List<Integer> some = part.subList(from, Math.min(part.size(), from + LIMIT));
        neighbours(
            some.stream().mapToInt(i -> ids[i]).toArray(),
            some.stream().map(i -> vectors[i]).toArray(TextVector[]::new),
            k,
            sink);
      }
    }
  }

  /** The nearest pivots by the dense block; ties go to the lower number. */
  static int[] nearest(float[] dense, float[][] pivots, int count) {
    NeighbourGraph found = NeighbourGraph.empty(1, Math.min(count, pivots.length));
    for (int p = 0; p < pivots.length; p++) {
      float[] pivot = pivots[p];
      float a = 0;
      float b = 0;
      float c = 0;
      float d = 0;
      int r = 0;
      for (; r + 3 < dense.length; r += 4) {
        a += dense[r] * pivot[r];
        b += dense[r + 1] * pivot[r + 1];
        c += dense[r + 2] * pivot[r + 2];
        d += dense[r + 3] * pivot[r + 3];
      }
      for (; r < dense.length; r++) {
        a += dense[r] * pivot[r];
      }
      found.offer(0, p, (a + b) + (c + d));
    }
    return found.neighbours();
  }

  /** Takes what was found. */
  interface Sink {
    void accept(int node, int neighbour, float similarity);
  }
}
