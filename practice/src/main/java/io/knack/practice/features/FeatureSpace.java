package io.knack.practice.features;

import io.knack.contracts.SparseVector;
import java.nio.file.Path;

/**
 * Turns texts into vectors that can be compared. Immutable and safe for use by many threads.
 * Vectors have length one, or are empty when a text has no features.
 */
public interface FeatureSpace {
  SparseVector vector(String text);

  /**
   * Cosine, at least 0 and at most 1: the dot product, since vectors have length one. An empty
   * vector is similar to nothing.
   */
  double similarity(SparseVector a, SparseVector b);

  /** Equal digests mean comparable vectors. */
  String digest();

  /** Reads a space as mining wrote it. */
  static FeatureSpace load(Path file) {
    return SpaceFiles.load(file);
  }
}
