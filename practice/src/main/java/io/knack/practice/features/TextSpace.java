package io.knack.practice.features;

import java.nio.file.Path;

/** A feature space as mining makes and uses one. */
public interface TextSpace extends FeatureSpace {
  /** The vector of a text, in arrays. */
  TextVector features(String text);

  /** Width of the dense block of every vector. */
  int denseWidth();

  /** How rare a word is in the log that the space was learnt from. */
  double rarity(String word);

  /** What {@link #save} writes, before compression. */
  byte[] bytes();

  /** Writes the file that {@link FeatureSpace#load} reads. */
  void save(Path file);

  /** A space from {@link #bytes}. */
  static TextSpace of(byte[] bytes) {
    return SpaceFiles.parse(bytes, "in memory");
  }

  /** {@link FeatureSpace#load} for mining. */
  static TextSpace load(Path file) {
    return SpaceFiles.load(file);
  }
}
