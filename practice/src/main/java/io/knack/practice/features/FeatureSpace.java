package io.knack.practice.features;

import io.knack.contracts.Manifest;
import io.knack.contracts.SparseVector;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns texts into vectors that can be compared. Immutable and safe for use by many threads.
 * Vectors have length one, or are empty when a text has no features.
 */
public interface FeatureSpace {
  SparseVector vector(String text);

  /** Those of many texts, in their order: in one batch where that is cheaper. */
  default List<SparseVector> vectors(List<String> texts) {
    return texts.stream().map(this::vector).toList();
  }

  /**
   * Cosine, at least 0 and at most 1: the dot product, since vectors have length one. An empty
   * vector is similar to nothing.
   */
  double similarity(SparseVector a, SparseVector b);

  /** Whose vectors these are; null where no sentence encoder is needed. */
  default Manifest.@Nullable Encoder encoderRef() {
    return null;
  }

  /** Equal digests mean comparable vectors. */
  String digest();

  /**
   * Reads a space as mining wrote it.
   *
   * @param encoders where to look for the sentence encoder, if the space has one
   * @throws io.knack.contracts.stage.ContractException when the file or its encoder is missing, or
   *     is another than it must be
   */
  static FeatureSpace load(Path file, Encoders encoders) {
    return SpaceFiles.load(file, encoders);
  }
}
