package io.knack.spark.mine;

import io.knack.practice.features.TextVector;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/**
 * The mean of the unit vectors of each group's nodes, dense block only; one job. Sums are whole
 * numbers, so that they do not depend on partitions.
 */
final class GroupMeans {
  private static final double UNIT = 1 << 20;

  private GroupMeans() {}

  /**
   * @param group of each node, below {@code groups}; none is empty
   */
  static double[][] of(
      JavaSparkContext context, Nodes nodes, SpaceHandle handle, int[] group, int groups) {
    Broadcast<int[]> groupOf = context.broadcast(group);
    int width = handle.space().denseWidth();
    double[][] means = new double[groups][width];
    nodes
        .rdd()
        .mapPartitionsToPair(
            part -> {
              Map<Integer, long[]> sums = new HashMap<>();
              part.forEachRemaining(
                  node ->
                      add(
                          sums.computeIfAbsent(
                              groupOf.value()[node.index()], g -> new long[width + 1]),
                          handle.space().features(node.text())));
              return sums.entrySet().stream()
                  .map(sum -> new Tuple2<>(sum.getKey(), sum.getValue()))
                  .iterator();
            })
        .reduceByKey(
            (a, b) -> {
              for (int r = 0; r < a.length; r++) {
                a[r] += b[r];
              }
              return a;
            })
        .collect()
        .forEach(
            sum -> {
              for (int r = 0; r < width; r++) {
                means[sum._1()][r] = sum._2()[r] / UNIT / sum._2()[width];
              }
            });
    groupOf.destroy();
    return means;
  }

  /** Adds a node's unit vector, then counts it. */
  private static void add(long[] sum, TextVector vector) {
    double square = 0;
    for (float value : vector.dense()) {
      square += (double) value * value;
    }
    double scale = square == 0 ? 0 : UNIT / Math.sqrt(square);
    for (int r = 0; r < vector.dense().length; r++) {
      sum[r] += Math.round(vector.dense()[r] * scale);
    }
    sum[vector.dense().length]++;
  }
}
