package io.knack.spark.mine;

import io.knack.contracts.Cluster.Event;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.TextSpace;
import io.knack.practice.features.TextVector;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.frame.SparkTables;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/** A night that places what is new among what is known, and clusters the remainder. */
final class NextNight {
  /** A group of the remainder this near a known cluster is more of that cluster. */
  private static final double SAME = 0.8;

  /** A new cluster joins a known family whose centroid is this near. */
  private static final double KIN = 0.5;

  private final SparkSession spark;
  private final JavaSparkContext jobs;
  private final MinePlan plan;
  private final StageContext context;
  private final NightFiles files;
  private final Encoding encoding;

  NextNight(SparkSession spark, MinePlan plan, StageContext context) {
    this.spark = spark;
    this.jobs = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.plan = plan;
    this.context = context;
    this.files = new NightFiles(jobs, plan, context);
    this.encoding = new Encoding(context.home());
  }

  /**
   * @param interactions that are new, {@code added} of them
   */
  StageResult run(Dataset<Row> interactions, long added, Artifact before, MineState state)
      throws IOException {
    Dataset<Row> seen = SeenRows.of(interactions, plan).persist(StorageLevel.MEMORY_AND_DISK());
    Nodes fresh = Nodes.of(seen);
    Encoders encoders = Encoders.of(context.home()).at(MineStage.encoder(plan));
    TextSpace space = encoding.with(fresh, TextSpace.load(before.file(MineState.SPACE), encoders));
    SpaceHandle handle = new SpaceHandle(jobs, space);
    Map<String, Living> known =
        NightFiles.living(before, v -> TextVector.of(v, space.denseWidth()));
    List<Living> clusters = new ArrayList<>(known.values());
    Kin kin = new Kin(space.denseWidth());
    FamilyState.TABLE.readAll(before.file("families.parquet")).forEach(kin::add);
    Dataset<Row> placed = Placement.run(spark, jobs, seen, fresh, handle, clusters, kin.families);
    Map<Integer, Statistics> more = Pool.statistics(placed);
    more.forEach((c, statistics) -> clusters.get(c).statistics().merge(statistics));

    Dataset<Row> remainder =
        placed
            .filter("cluster < 0")
            .select(seenColumns())
            .union(
                SparkTables.readPaths(spark, SeenRow.OPEN, List.of(before.file("open")))
                    .select(seenColumns()))
            .persist(StorageLevel.MEMORY_AND_DISK());
    Nodes nodes = Nodes.of(remainder);
    Pool pool = Pool.mine(spark, remainder, nodes, encoding.with(nodes, space), plan);

    Set<String> used = new TreeSet<>(state.ids());
    String[] clusterIds = new String[pool.clusters().size()];
    int born = settle(pool, clusters, kin, clusterIds, used);
    String[] familyIds = new String[pool.families().size()];
    Arrays.fill(familyIds, "");
    for (int c = 0; c < clusterIds.length; c++) {
      String family = kin.ofBorn.get(clusterIds[c]);
      if (family != null) {
        familyIds[pool.familyOf()[c]] = family;
      }
    }
    for (int f = 0; f < familyIds.length; f++) {
      if (familyIds[f].isEmpty()) {
        familyIds[f] = kin.of(pool.families().get(f), pool.tenantOfFamily(f), 0, used);
      }
    }
    context
        .console()
        .say("mine: " + added + " new interactions placed, " + born + " clusters born");

    int night = state.settled().size();
    files.linkSettled(before, night);
    Dataset<Row> open = files.latestOpen(pool.placed().filter("cluster < 0"));
    Dataset<Row> rest = NightFiles.without(pool.placed(), open);
    String[] knownIds = known.keySet().toArray(String[]::new);
    String[] families = kin.families.stream().map(FamilyState::familyId).toArray(String[]::new);
    String settledDigest =
        files.writeSettled(
            files
                .members(placed.filter("cluster >= 0"), knownIds, families)
                .union(files.members(rest, clusterIds, familyIds)),
            night);
    String openDigest = files.writeOpen(open, clusterIds, familyIds);
    List<String> digests = new ArrayList<>(state.settled());
    digests.add(settledDigest);
    MineState next =
        new MineState(new TreeSet<>(used), state.rows(), state.rowsSince() + added, digests);
    StageResult result =
        files.finish(
            new NightFiles.Outcome(
                space,
                clusters,
                List.of(),
                kin.families,
                next,
                openDigest,
                "added",
                added,
                state.rows() + state.rowsSince() + added,
                null,
                encoding.figures()));
    placed.unpersist();
    pool.placed().unpersist();
    remainder.unpersist();
    seen.unpersist();
    return result;
  }

  /**
   * Gives every cluster of the remainder its id: that of a known cluster which it is more of, or
   * one of its own, in a known family or in a new one.
   *
   * @param clusters what is known; merged with what is more of it, and the new ones added
   * @return how many were born
   */
  private int settle(
      Pool pool, List<Living> clusters, Kin kin, String[] clusterIds, Set<String> used) {
    Map<String, Centroids> centroids = new HashMap<>();
    Map<String, List<Living>> known = new HashMap<>();
    for (Living cluster : clusters) {
      centroids.computeIfAbsent(cluster.tenant(), t -> new Centroids()).add(cluster.centroid());
      known.computeIfAbsent(cluster.tenant(), t -> new ArrayList<>()).add(cluster);
    }
    int born = 0;
    for (int c = 0; c < clusterIds.length; c++) {
      Core core = pool.clusters().get(c);
      String tenant = pool.tenants().get(c);
      Statistics statistics = pool.statistics().getOrDefault(c, new Statistics());
      @Nullable Centroids own = centroids.get(tenant);
      Centroids.Nearest nearest =
          own == null ? new Centroids.Nearest(-1, 0) : own.nearest(core.centroid());
      if (nearest.number() >= 0 && nearest.cosine() > SAME) {
        Living same = known.getOrDefault(tenant, List.of()).get(nearest.number());
        same.statistics().merge(statistics);
        clusterIds[c] = same.id();
        continue;
      }
      clusterIds[c] = Identity.fresh("c-", tenant + "\n" + core.medoidKey(), used);
      String family = kin.of(core, tenant, KIN, used);
      kin.ofBorn.put(clusterIds[c], family);
      clusters.add(
          new Living(
              clusterIds[c],
              family,
              tenant,
              Event.BORN,
              List.of(),
              core.centroid(),
              core.exemplars(),
              core.terms(),
              statistics));
      born++;
    }
    return born;
  }

  private static Column[] seenColumns() {
    return Arrays.stream(RowCodec.of(SeenRow.OPEN).schema().fieldNames())
        .map(functions::col)
        .toArray(Column[]::new);
  }

  /** Families known and new. */
  private static final class Kin {
    private final int width;
    private final List<FamilyState> families = new ArrayList<>();
    private final Map<String, Centroids> centroids = new HashMap<>();
    private final Map<String, List<String>> ids = new HashMap<>();

    /** Family of each cluster that was born tonight. */
    private final Map<String, String> ofBorn = new HashMap<>();

    Kin(int width) {
      this.width = width;
    }

    void add(FamilyState family) {
      families.add(family);
      centroids
          .computeIfAbsent(family.tenant(), t -> new Centroids())
          .add(TextVector.of(family.centroid(), width));
      ids.computeIfAbsent(family.tenant(), t -> new ArrayList<>()).add(family.familyId());
    }

    /** The nearest family, where it is nearer than the floor, or a new one. */
    String of(Core core, String tenant, double floor, Set<String> used) {
      @Nullable Centroids own = centroids.get(tenant);
      if (own != null) {
        Centroids.Nearest nearest = own.nearest(core.centroid());
        if (nearest.number() >= 0 && nearest.cosine() > floor) {
          return ids.getOrDefault(tenant, List.of()).get(nearest.number());
        }
      }
      String id = Identity.fresh("f-", tenant + "\n" + core.medoidKey(), used);
      add(new FamilyState(id, tenant, core.centroid().toSparse()));
      return id;
    }
  }
}
