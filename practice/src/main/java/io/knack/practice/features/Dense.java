package io.knack.practice.features;

import java.util.Arrays;

/** Arithmetic on dense vectors, in place. */
final class Dense {
  private Dense() {}

  static double length(float[] vector) {
    double square = 0;
    for (float value : vector) {
      square += (double) value * value;
    }
    return Math.sqrt(square);
  }

  static void removeDirection(float[] vector, float[] direction) {
    if (!normalise(vector)) {
      return;
    }
    float dot = 0;
    for (int i = 0; i < vector.length; i++) {
      dot += vector[i] * direction[i];
    }
    for (int i = 0; i < vector.length; i++) {
      vector[i] -= dot * direction[i];
    }
  }

  static boolean normalise(float[] vector) {
    double square = 0;
    for (float v : vector) {
      square += (double) v * v;
    }
    if (square < 1e-12) {
      Arrays.fill(vector, 0);
      return false;
    }
    scale(vector, 1 / Math.sqrt(square));
    return true;
  }

  static void scale(float[] vector, double by) {
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (vector[i] * by);
    }
  }
}
