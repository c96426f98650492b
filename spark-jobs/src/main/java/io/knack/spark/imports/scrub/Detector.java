package io.knack.spark.imports.scrub;

import java.util.List;

/** Finds one kind of personal data or secret. */
interface Detector {
  /** Adds what it finds; spans of one detector do not overlap. */
  void find(String text, List<Span> found);
}
