package io.knack.practice.route;

import io.knack.contracts.SparseVector;
import java.util.Arrays;
import java.util.List;

/**
 * Dot products of one vector with many. An inverted index in two flat arrays: the postings of
 * feature {@code features[f]} are those from {@code starts[f]} to {@code starts[f + 1]}.
 */
final class CentroidIndex {
  private final int vectors;
  private final int[] features;
  private final int[] starts;
  private final int[] owners;
  private final float[] weights;

  CentroidIndex(List<SparseVector> centroids) {
    vectors = centroids.size();
    int total = centroids.stream().mapToInt(c -> c.indices().size()).sum();
    long[] entries = new long[total]; // feature in the high half, position in the low
    int[] owner = new int[total];
    float[] weight = new float[total];
    int at = 0;
    for (int c = 0; c < vectors; c++) {
      List<Integer> indices = centroids.get(c).indices();
      List<Float> values = centroids.get(c).values();
      for (int i = 0; i < indices.size(); i++) {
        entries[at] = (long) indices.get(i) << 32 | at;
        owner[at] = c;
        weight[at++] = values.get(i);
      }
    }
    Arrays.sort(entries);
    owners = new int[total];
    weights = new float[total];
    int[] seen = new int[total];
    int[] begin = new int[total + 1];
    int distinct = 0;
    for (int i = 0; i < total; i++) {
      int feature = (int) (entries[i] >>> 32);
      int from = (int) entries[i];
      if (distinct == 0 || seen[distinct - 1] != feature) {
        seen[distinct] = feature;
        begin[distinct++] = i;
      }
      owners[i] = owner[from];
      weights[i] = weight[from];
    }
    begin[distinct] = total;
    features = Arrays.copyOf(seen, distinct);
    starts = Arrays.copyOf(begin, distinct + 1);
  }

  /** One cosine per centroid, in [0, 1]. */
  double[] similarities(SparseVector vector) {
    double[] dots = new double[vectors];
    for (int i = 0; i < vector.indices().size(); i++) {
      int feature = Arrays.binarySearch(features, vector.indices().get(i));
      if (feature >= 0) {
        double value = vector.values().get(i);
        for (int p = starts[feature]; p < starts[feature + 1]; p++) {
          dots[owners[p]] += value * weights[p];
        }
      }
    }
    for (int i = 0; i < vectors; i++) {
      dots[i] = Math.max(0, Math.min(1, dots[i]));
    }
    return dots;
  }
}
