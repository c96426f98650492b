package io.knack.spark.mine;

import io.knack.practice.features.TextSpace;
import io.knack.practice.features.TextVector;
import io.knack.spark.frame.RowCodec;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

/**
 * A pool of interactions, mined: every one of them placed.
 *
 * @param clusters by number
 * @param families by number
 * @param tenants of the clusters, then of the families
 * @param familyOf each cluster
 * @param placed the rows of {@link SeenRow} with cluster (-1 for none), family and similarity
 * @param statistics of each cluster
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record Pool(
    List<Core> clusters,
    List<Core> families,
    List<String> tenants,
    int[] familyOf,
    Dataset<Row> placed,
    Map<Integer, Statistics> statistics) {

  static final StructType PLACE =
      new StructType()
          .add("tenant", DataTypes.StringType)
          .add("key", DataTypes.StringType)
          .add("cluster", DataTypes.IntegerType)
          .add("family", DataTypes.IntegerType)
          .add("similarity", DataTypes.DoubleType);

  /** Finds the groups of rows of {@link SeenRow} in a given space, and places the rows. */
  static Pool mine(
      SparkSession spark, Dataset<Row> seen, Nodes nodes, TextSpace space, MinePlan plan) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    SpaceHandle handle = new SpaceHandle(context, space);
    Groups groups =
        plan.allAsOneCluster() ? Groups.whole(nodes) : Groups.find(context, nodes, handle, plan);
    int clusters = groups.clusterTenants().size();
    List<Core> cores = cores(context, nodes, handle, plan, groups);
    Dataset<Row> placed =
        place(
            spark,
            context,
            seen,
            nodes,
            handle,
            new Assignment(groups.cluster(), groups.family()),
            cores,
            clusters);
    List<String> tenants = new ArrayList<>(groups.clusterTenants());
    tenants.addAll(groups.familyTenants());
    return new Pool(
        cores.subList(0, clusters),
        cores.subList(clusters, cores.size()),
        tenants,
        groups.familyOf(),
        placed,
        statistics(placed));
  }

  String tenantOfFamily(int family) {
    return tenants.get(clusters.size() + family);
  }

  /** Cores of all clusters, then of all families. */
  private static List<Core> cores(
      JavaSparkContext context, Nodes nodes, SpaceHandle handle, MinePlan plan, Groups groups) {
    int n = nodes.size();
    int clusters = groups.clusterTenants().size();
    int families = groups.familyTenants().size();
    int[] cluster = groups.cluster();
    int[] family = groups.family();
    float[] score = groups.score();
    List<List<Integer>> members = new ArrayList<>();
    for (int g = 0; g < clusters + families; g++) {
      members.add(new ArrayList<>());
    }
    for (int i = 0; i < n; i++) {
      if (cluster[i] >= 0) {
        members.get(cluster[i]).add(i);
      }
      members.get(clusters + family[i]).add(i);
    }
    Comparator<Integer> central =
        Comparator.<Integer>comparingDouble(
                i -> -score[i] * (1 + StrictMath.log(nodes.copies()[i])))
            .thenComparing(i -> i);
    HashMap<Integer, int[]> groupsOf = new HashMap<>();
    for (int g = 0; g < members.size(); g++) {
      int group = g;
      List<Integer> own = members.get(g);
      // Members of a cluster are all surrounded by it: some of every form speak for it. A family
      // also holds what is far from all else, and its most central speak for it.
      Stream<Integer> speakers =
          g < clusters ? spread(own) : own.stream().sorted(central).limit(Core.NODES);
      speakers.forEach(i -> groupsOf.merge(i, new int[] {group}, (a, b) -> new int[] {a[0], b[0]}));
    }
    Broadcast<HashMap<Integer, int[]>> chosen = context.broadcast(groupsOf);
    int exemplars = plan.exemplars();
    int parts = Math.max(1, Math.min(4 * context.defaultParallelism(), members.size()));
    List<Core> cores =
        new ArrayList<>(
            nodes
                .rdd()
                .filter(node -> chosen.value().containsKey(node.index()))
                .flatMapToPair(
                    node ->
                        Arrays.stream(chosen.value().getOrDefault(node.index(), new int[0]))
                            .mapToObj(group -> new Tuple2<>(group, node))
                            .iterator())
                .groupByKey(parts)
                .map(group -> Core.of(group._1(), group._2(), handle.space(), exemplars))
                .collect());
    chosen.destroy();
    cores.sort(Comparator.comparingInt(Core::group));
    return cores;
  }

  /** Evenly over the nodes, whose order is random. */
  private static Stream<Integer> spread(List<Integer> members) {
    int count = Math.min(Core.NODES, members.size());
    return IntStream.range(0, count)
        .mapToObj(i -> members.get((int) ((long) i * members.size() / count)));
  }

  private static Dataset<Row> place(
      SparkSession spark,
      JavaSparkContext context,
      Dataset<Row> seen,
      Nodes nodes,
      SpaceHandle handle,
      Assignment assignment,
      List<Core> cores,
      int clusters) {
    Broadcast<Assignment> where = context.broadcast(assignment);
    Broadcast<ArrayList<Core>> centroids = context.broadcast(new ArrayList<>(cores));
    Dataset<Row> places =
        spark.createDataFrame(
            nodes
                .rdd()
                .map(
                    node -> {
                      int cluster = where.value().cluster[node.index()];
                      int family = where.value().family[node.index()];
                      Core core = centroids.value().get(cluster >= 0 ? cluster : clusters + family);
                      TextVector vector = handle.space().features(node.text());
                      return RowFactory.create(
                          node.tenant(),
                          node.key(),
                          cluster,
                          family,
                          rounded(vector.cosine(core.centroid())));
                    }),
            PLACE);
    return join(seen, places);
  }

  static Dataset<Row> join(Dataset<Row> seen, Dataset<Row> places) {
    return seen.join(
            places,
            scala.jdk.javaapi.CollectionConverters.asScala(List.of("tenant", "key")).toSeq())
        .persist(StorageLevel.MEMORY_AND_DISK());
  }

  /** Similarities are kept to four digits, in [0, 1]. */
  static double rounded(double cosine) {
    return Math.round(Math.max(0, Math.min(1, cosine)) * 1e4) / 1e4;
  }

  /** Of every cluster in a placed data set; one job. */
  static Map<Integer, Statistics> statistics(Dataset<Row> placed) {
    RowCodec<SeenRow> codec = RowCodec.of(SeenRow.OPEN);
    String[] columns = codec.schema().fieldNames();
    int width = columns.length;
    Dataset<Row> rows =
        placed.filter("cluster >= 0").selectExpr(concat(columns, "cluster", "similarity"));
    Map<Integer, Statistics> all = new HashMap<>();
    rows.toJavaRDD()
        .mapPartitionsToPair(
            part -> {
              Map<Integer, Statistics> found = new HashMap<>();
              part.forEachRemaining(
                  row ->
                      found
                          .computeIfAbsent(row.getInt(width), c -> new Statistics())
                          .add(codec.fromRow(row), row.getDouble(width + 1)));
              return found.entrySet().stream()
                  .map(e -> new Tuple2<>(e.getKey(), e.getValue()))
                  .iterator();
            })
        .reduceByKey(Statistics::merge)
        .collect()
        .forEach(pair -> all.put(pair._1(), pair._2()));
    return all;
  }

  static String[] concat(String[] columns, String... more) {
    String[] all = Arrays.copyOf(columns, columns.length + more.length);
    System.arraycopy(more, 0, all, columns.length, more.length);
    return all;
  }

  /** Cluster and family of each node. */
  private static final class Assignment implements Serializable {
    @Serial private static final long serialVersionUID = 1L;
    private final int[] cluster;
    private final int[] family;

    Assignment(int[] cluster, int[] family) {
      this.cluster = cluster;
      this.family = family;
    }
  }
}
