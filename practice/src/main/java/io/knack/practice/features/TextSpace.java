package io.knack.practice.features;

import java.nio.file.Path;
import java.util.List;

/** A feature space as mining makes and uses one. */
public interface TextSpace extends FeatureSpace {
  /** The vector of a text, in arrays. */
  TextVector features(String text);

  /** Those of many, in their order: in one batch where that is cheaper. */
  default List<TextVector> featuresOf(List<String> texts) {
    return texts.stream().map(this::features).toList();
  }

  /** Width of the dense block of every vector. */
  int denseWidth();

  /** How rare a word is in the log that the space was learnt from. */
  double rarity(String word);

  /** What {@link #save} writes, before compression. */
  byte[] bytes();

  /** Writes the file that {@link FeatureSpace#load} reads. */
  void save(Path file);

  /** A space from {@link #bytes}. */
  static TextSpace of(byte[] bytes, Encoders encoders) {
    return SpaceFiles.parse(bytes, "in memory", encoders);
  }

  /** {@link FeatureSpace#load} for mining. */
  static TextSpace load(Path file, Encoders encoders) {
    return SpaceFiles.load(file, encoders);
  }
}
