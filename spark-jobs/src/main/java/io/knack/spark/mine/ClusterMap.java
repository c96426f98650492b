package io.knack.spark.mine;

import java.nio.file.Path;
import java.util.List;

/** The picture of a night. */
final class ClusterMap {
  private ClusterMap() {}

  static void write(Path file, List<Living> clusters, MinePlan plan) {
    if (clusters.isEmpty() || plan.minSubjects() < 0 || file.toString().isEmpty()) {
      return;
    }
  }
}
