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
 * when it is at least as near as that cluster's members usually are.
 */
final class Placement {
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
    Broadcast<HashMap<String, Known>> all = jobs.broadcast(new HashMap<>(byTenant));
    Dataset<Row> places =
        spark.createDataFrame(
            nodes
                .rdd()
                .map(
                    node -> {
                      Known known = all.value().get(node.tenant());
                      return known == null
                          ? nowhere(node)
                          : known.place(node, handle.space().features(node.text()));
                    }),
            Pool.PLACE);
    return Pool.join(seen, places);
  }

  private static Row nowhere(Node node) {
    return RowFactory.create(node.tenant(), node.key(), -1, 0, 0.0);
  }

  /** The clusters of one tenant. */
  private static final class Known implements Serializable {
    @Serial private static final long serialVersionUID = 1L;
    private final ArrayList<Integer> numbers = new ArrayList<>();
    private final ArrayList<Integer> families = new ArrayList<>();
    private final ArrayList<Double> floors = new ArrayList<>();
    private final Centroids centroids = new Centroids();

    void add(int number, int family, TextVector centroid, double floor) {
      numbers.add(number);
      families.add(family);
      floors.add(floor);
      centroids.add(centroid);
    }

    Row place(Node node, TextVector vector) {
      Centroids.Nearest nearest = centroids.nearest(vector);
      int at = nearest.number();
      if (at < 0) {
        return nowhere(node);
      }
      return RowFactory.create(
          node.tenant(),
          node.key(),
          nearest.cosine() >= floors.get(at) ? numbers.get(at) : -1,
          families.get(at),
          Pool.rounded(nearest.cosine()));
    }
  }
}
