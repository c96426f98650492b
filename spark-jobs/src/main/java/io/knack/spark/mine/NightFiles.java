package io.knack.spark.mine;

import io.knack.contracts.Cluster.Event;
import io.knack.contracts.SparseVector;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.TextSpace;
import io.knack.practice.features.TextVector;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.frame.RowsDigest;
import io.knack.spark.frame.SparkFiles;
import io.knack.spark.frame.SparkTables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/**
 * The artifact of a night of mining: its member tables, its cards, what tomorrow needs, the map.
 */
final class NightFiles {
  /** The figure that names the encoder's content. */
  static final String ENCODER = "encoder";

  private final JavaSparkContext jobs;
  private final MinePlan plan;
  private final StageContext context;

  NightFiles(JavaSparkContext jobs, MinePlan plan, StageContext context) {
    this.jobs = jobs;
    this.plan = plan;
    this.context = context;
  }

  /**
   * What a night came to.
   *
   * @param retiredSpace digest of the space that centroids of retired clusters live in; null when
   *     it is tonight's
   * @param encoding figures of the sentence encoder
   */
  record Outcome(
      TextSpace space,
      List<Living> living,
      List<Living> retired,
      List<FamilyState> families,
      MineState state,
      String openDigest,
      String how,
      long mined,
      long interactions,
      @Nullable String retiredSpace,
      Map<String, Object> encoding) {
    String spaceOf(Living cluster) {
      return cluster.event() == Event.RETIRED && retiredSpace != null
          ? retiredSpace
          : space.digest();
    }
  }

  /** Writes everything but the members. */
  StageResult finish(Outcome outcome) {
    Path output = context.output();
    outcome.space().save(output.resolve(MineState.SPACE));
    List<Living> all = new ArrayList<>(outcome.living());
    all.addAll(outcome.retired());
    all.sort(Comparator.comparing(Living::id));
    String digest = outcome.space().digest();
    Iterable<io.knack.contracts.Cluster> cards =
        () -> all.stream().map(one -> one.card(plan, outcome.spaceOf(one))).iterator();
    Tables.CLUSTERS.write(output.resolve("clusters.parquet"), cards);
    ClusterState.TABLE.write(
        output.resolve("states.parquet"),
        () ->
            all.stream().filter(one -> one.event() != Event.RETIRED).map(Living::state).iterator());
    FamilyState.TABLE.write(output.resolve("families.parquet"), outcome.families());
    outcome.state().write(output);
    ClusterMap.write(output.resolve(MineState.MAP), all, plan);
    List<String> digests = new ArrayList<>(outcome.state().settled());
    digests.add(outcome.openDigest());
    digests.add(Tables.CLUSTERS.contentDigest(cards));
    digests.add(digest);
    long eligible = all.stream().filter(one -> one.eligible(plan)).count();
    long inClusters =
        all.stream()
            .filter(one -> one.event() != Event.RETIRED)
            .mapToLong(one -> one.statistics().interactions)
            .sum();
    long subjects =
        all.stream().mapToLong(one -> one.statistics().distinctSubjects()).max().orElse(0);
    if (subjects == 0 && !all.isEmpty()) {
      context
          .console()
          .say(
              "mine: the log names no subjects, so that no cluster reaches the privacy floor; if"
                  + " every interaction is from a person of its own, set"
                  + " assume_distinct_subjects: true in the plan");
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("how", outcome.how());
    figures.put("mined", outcome.mined());
    figures.put("interactions", outcome.interactions());
    figures.put("clusters", (long) outcome.living().size());
    figures.put("eligible", eligible);
    figures.put("families", (long) outcome.families().size());
    figures.put(
        "coverage",
        outcome.interactions() == 0
            ? 0.0
            : Math.round(1e4 * inClusters / (double) outcome.interactions()) / 1e4);
    for (Event event : Event.values()) {
      figures.put(
          event.name().toLowerCase(java.util.Locale.ROOT),
          all.stream().filter(one -> one.event() == event).count());
    }
    figures.put("feature_space", digest);
    figures.putAll(outcome.encoding());
    return StageResult.Produced.of(RowsDigest.join(digests), plan.seed(), figures);
  }

  /**
   * The clusters of a night, by id.
   *
   * @param vectors reads a centroid
   */
  static Map<String, Living> living(Artifact artifact, Function<SparseVector, TextVector> vectors) {
    Map<String, Living> all = new LinkedHashMap<>();
    try (Stream<ClusterState> states = ClusterState.TABLE.read(artifact.file("states.parquet"))) {
      states.forEach(
          state -> all.put(state.clusterId(), Living.of(state, vectors.apply(state.centroid()))));
    }
    return all;
  }

  /** The latest rows without a cluster: what later nights may still cluster. */
  Dataset<Row> latestOpen(Dataset<Row> rows) {
    return rows.orderBy(functions.col("day").desc(), functions.col("interaction_id"))
        .limit(plan.openLimit())
        .persist(StorageLevel.MEMORY_AND_DISK());
  }

  /** The rows that are not among some. */
  static Dataset<Row> without(Dataset<Row> rows, Dataset<Row> some) {
    return rows.join(
        some.select("interaction_id"),
        scala.jdk.javaapi.CollectionConverters.asScala(List.of("interaction_id")).toSeq(),
        "left_anti");
  }

  /** Placed rows as the contract wants them, numbers replaced by ids. */
  Dataset<Row> members(Dataset<Row> placed, String[] clusterIds, String[] familyIds) {
    Broadcast<String[]> clusters = jobs.broadcast(clusterIds);
    Broadcast<String[]> families = jobs.broadcast(familyIds);
    return placed
        .selectExpr("interaction_id", "cluster", "family", "similarity")
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>)
                rows -> {
                  String[] cluster = clusters.value();
                  String[] family = families.value();
                  return new Mapped(rows, cluster, family);
                },
            RowCodec.of(Tables.MEMBERS).encoder());
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared, never printed
  private record Mapped(java.util.Iterator<Row> rows, String[] clusters, String[] families)
      implements java.util.Iterator<Row> {
    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public Row next() {
      Row row = rows.next();
      @Nullable String cluster = row.getInt(1) < 0 ? null : clusters[row.getInt(1)];
      return RowFactory.create(
          row.getString(0), cluster, families[row.getInt(2)], row.getDouble(3));
    }
  }

  private static String write(Dataset<Row> members, Path place) {
    SparkFiles.write(members.write(), place);
    return RowsDigest.of(
        SparkFiles.read(members.sparkSession().read().schema(members.schema()), place),
        Tables.MEMBERS);
  }

  /** Writes members that stay as they are; returns their digest. */
  String writeSettled(Dataset<Row> members, int night) {
    return write(members, MineState.settled(context.output(), night));
  }

  /** Writes the rows that later nights may still cluster, as members too; returns their digest. */
  String writeOpen(Dataset<Row> open, String[] clusterIds, String[] familyIds) {
    String digest =
        write(members(open, clusterIds, familyIds), MineState.openMembers(context.output()));
    SparkTables.write(open, SeenRow.OPEN, context.output());
    open.unpersist();
    return digest;
  }

  /** The members that earlier nights settled. */
  void linkSettled(Artifact before, int nights) throws IOException {
    for (int i = 0; i < nights; i++) {
      link(MineState.settled(before.directory(), i), MineState.settled(context.output(), i));
    }
  }

  /** The same immutable files in another directory: linked where the disk can, else copied. */
  private static void link(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.sorted().toList()) {
        Path target = to.resolve(String.valueOf(file.getFileName()));
        try {
          Files.createLink(target, file);
        } catch (UnsupportedOperationException | IOException e) {
          Files.copy(file, target);
        }
      }
    }
  }
}
