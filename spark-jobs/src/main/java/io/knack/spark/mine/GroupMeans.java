package io.knack.spark.mine;

import io.knack.practice.features.TextVector;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/**
 * The mean of each group's texts, such that the dot product of two groups' means is how alike their
 * texts are on average: half the cosine of the dense blocks, half that of the hashed n-grams (the
 * whole of the one that a text has, where it has one only). Dense blocks alone cannot tell rare
 * groups of a long log apart: they have a few dozen directions for all of them.
 *
 * <p>N-grams are sketched: each adds to {@value #PLACES} of {@value #SKETCH} places with signs of
 * its own, which keeps dot products on average (Kane and Nelson, 2014). Sums are whole numbers, so
 * that they do not depend on partitions.
 */
final class GroupMeans {
  private static final int SKETCH = 256;
  private static final int PLACES = 4;
  private static final double UNIT = 1 << 20;

  private GroupMeans() {}

  /**
   * One job.
   *
   * @param group of each node, below {@code groups}; none is empty
   */
  static double[][] of(
      JavaSparkContext context, Nodes nodes, SpaceHandle handle, int[] group, int groups) {
    Broadcast<int[]> groupOf = context.broadcast(group);
    int width = handle.space().denseWidth() + SKETCH;
    double[][] means = new double[groups][];
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
        .forEach(sum -> means[sum._1()] = mean(sum._2()));
    groupOf.destroy();
    return means;
  }

  /** The same of texts at hand. */
  static double[][] of(TextVector[] vectors, int[] group, int groups) {
    int width = vectors[0].dense().length + SKETCH;
    long[][] sums = new long[groups][width + 1];
    for (int i = 0; i < vectors.length; i++) {
      add(sums[group[i]], vectors[i]);
    }
    double[][] means = new double[groups][];
    for (int g = 0; g < groups; g++) {
      means[g] = mean(sums[g]);
    }
    return means;
  }

  private static double[] mean(long[] sum) {
    double[] mean = new double[sum.length - 1];
    for (int r = 0; r < mean.length; r++) {
      mean[r] = sum[r] / UNIT / sum[mean.length];
    }
    return mean;
  }

  /** Adds a text to a group's sum, then counts it. */
  private static void add(long[] sum, TextVector vector) {
    double dense = square(vector.dense());
    double sparse = square(vector.values());
    double share = dense > 0 && sparse > 0 ? 0.5 : 1;
    int width = vector.dense().length;
    double scale = dense > 0 ? UNIT * Math.sqrt(share / dense) : 0;
    for (int r = 0; r < width; r++) {
      sum[r] += Math.round(vector.dense()[r] * scale);
    }
    double each = sparse > 0 ? UNIT * Math.sqrt(share / sparse / PLACES) : 0;
    for (int e = 0; e < vector.indices().length; e++) {
      long hash = mix(vector.indices()[e]);
      long value = Math.round(vector.values()[e] * each);
      for (int place = 0; place < PLACES; place++) {
        int at = width + (int) ((hash >>> (8 * place)) & (SKETCH - 1));
        sum[at] += ((hash >>> (63 - place)) & 1) == 0 ? value : -value;
      }
    }
    sum[sum.length - 1]++;
  }

  private static double square(float[] values) {
    double square = 0;
    for (float value : values) {
      square += (double) value * value;
    }
    return square;
  }

  /** The finaliser of SplitMix64. */
  private static long mix(long index) {
    long h = (index + 1) * 0x9E3779B97F4A7C15L;
    h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
    h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
    return h ^ (h >>> 31);
  }
}
