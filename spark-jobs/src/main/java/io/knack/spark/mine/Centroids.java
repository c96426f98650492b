package io.knack.spark.mine;

import io.knack.practice.features.TextVector;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;

/**
 * The nearest of some centroids: those nearest by the dense block are compared in full. Cost: one
 * comparison of the dense block for each centroid.
 */
final class Centroids implements Serializable {
  @Serial private static final long serialVersionUID = 1L;
  private static final int COMPARED = 16;

  private final ArrayList<TextVector> vectors = new ArrayList<>();
  private float[][] dense = new float[0][];

  /**
   * @param number in the order of {@link #add}; -1 where nothing is alike at all
   */
  record Nearest(int number, double cosine) {}

  void add(TextVector centroid) {
    vectors.add(centroid);
  }

  Nearest nearest(TextVector vector) {
    int best = -1;
    double most = 0;
    for (int candidate : Cell.nearest(vector.dense(), dense(), COMPARED)) {
      if (candidate >= 0) {
        double cosine = vectors.get(candidate).cosine(vector);
        if (cosine > most) {
          most = cosine;
          best = candidate;
        }
      }
    }
    return new Nearest(best, most);
  }

  private synchronized float[][] dense() {
    if (dense.length != vectors.size()) {
      dense = vectors.stream().map(TextVector::dense).toArray(float[][]::new);
    }
    return dense;
  }
}
