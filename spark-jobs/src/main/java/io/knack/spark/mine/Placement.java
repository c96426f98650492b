package io.knack.spark.mine;

import io.knack.practice.features.TextVector;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;

/**
 * New interactions among known clusters: each node goes to the cluster whose centroid is nearest
 * when it is at least as near as that cluster's members usually are. The nearest by the dense block
 * are compared in full. Cost: one comparison of the dense block for each node and cluster.
 */
final class Placement {
  private static final int COMPARED = 16;

  private Placement() {}

  /**
   * The rows with cluster (position in {@code clusters}, -1 for none), family (position in {@code
   * families}) and similarity.
   */
  static Dataset<Row> run(
      SparkSession spark,
      JavaSparkContext jobs,
      Dataset<Row> seen,
      Nodes nodes,
      SpaceHandle handle,
      List<Living> clusters,
      List<FamilyState> families) {
    Map<String, Integer> familyNumber = new HashMap<>();
    Map<String, Known> byTenant = new HashMap<>();
    for (int f = 0; f < families.size(); f++) {
      familyNumber.put(families.get(f).familyId(), f);
    }
    for (int c = 0; c < clusters.size(); c++) {
      Living cluster = clusters.get(c);
      byTenant
          .computeIfAbsent(cluster.tenant(), t -> new Known())
          .add(
              c,
              familyNumber.getOrDefault(cluster.family(), 0),
              cluster.centroid(),
              cluster.statistics().floor());
    }
    byTenant.values().forEach(Known::seal);
    Broadcast<HashMap<String, Known>> all = jobs.broadcast(new HashMap<>(byTenant));
    Dataset<Row> places =
        spark.createDataFrame(
            nodes
                .rdd()
                .map(
                    node -> {
                      TextVector vector = handle.space().features(node.text());
                      Known known = all.value().get(node.tenant());
                      int best = known == null ? -1 : known.nearest(vector);
                      if (known == null || best < 0) {
                        return RowFactory.create(node.tenant(), node.key(), -1, 0, 0.0);
                      }
                      double cosine = known.centroids.get(best).cosine(vector);
                      boolean in = cosine >= known.floors.get(best);
                      return RowFactory.create(
                          node.tenant(),
                          node.key(),
                          in ? known.numbers.get(best) : -1,
                          known.families.get(best),
                          Pool.rounded(cosine));
                    }),
            Pool.PLACE);
    return Pool.join(seen, places);
  }

  /** The clusters of one tenant. */
  private static final class Known implements Serializable {
    @Serial private static final long serialVersionUID = 1L;
    private final ArrayList<Integer> numbers = new ArrayList<>();
    private final ArrayList<Integer> families = new ArrayList<>();
    private final ArrayList<Double> floors = new ArrayList<>();
    private float[][] dense = new float[0][];
    private final ArrayList<TextVector> centroids = new ArrayList<>();

    void add(int number, int family, TextVector centroid, double floor) {
      numbers.add(number);
      families.add(family);
      floors.add(floor);
      centroids.add(centroid);
    }

    void seal() {
      dense = centroids.stream().map(TextVector::dense).toArray(float[][]::new);
    }

    int nearest(TextVector vector) {
      int best = -1;
      double most = 0;
      for (int candidate : Cell.nearest(vector.dense(), dense, COMPARED)) {
        if (candidate >= 0) {
          double cosine = centroids.get(candidate).cosine(vector);
          if (cosine > most) {
            most = cosine;
            best = candidate;
          }
        }
      }
      return best;
    }
  }
}
