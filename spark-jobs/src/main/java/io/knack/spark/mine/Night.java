package io.knack.spark.mine;

import io.knack.contracts.Cluster.Event;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.HashedSpace;
import io.knack.practice.features.TextVector;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.frame.RowsDigest;
import io.knack.spark.frame.SparkTables;
import io.knack.spark.mine.Identity.Overlap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/** One night of mining: everything again, or what is new added to what is known. */
final class Night {
  /** A group of the remainder this near a known cluster is more of that cluster. */
  private static final double SAME = 0.8;

  /** A new cluster joins a known family whose centroid is this near. */
  private static final double KIN = 0.5;

  private final SparkSession spark;
  private final JavaSparkContext jobs;
  private final MinePlan plan;
  private final StageContext context;
  private final String[] seenColumns = RowCodec.of(SeenRow.OPEN).schema().fieldNames();

  Night(SparkSession spark, MinePlan plan, StageContext context) {
    this.spark = spark;
    this.jobs = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.plan = plan;
    this.context = context;
  }

  // -------------------------------------------------------------------------------- everything

  StageResult everything(Dataset<Row> interactions, Optional<Artifact> previous)
      throws IOException {
    Dataset<Row> seen = SeenRows.of(interactions, plan).persist(StorageLevel.MEMORY_AND_DISK());
    Nodes nodes = Nodes.of(seen);
    if (nodes.size() == 0) {
      return new StageResult.Nothing(
          "the log holds no interaction; import one with ./knack import");
    }
    context.console().say("mine: " + nodes.size() + " different texts; learning their features");
    List<Node> sample = nodes.some(nodes.spread(plan.fitSample()));
    HashedSpace space = HashedSpace.fit(sample.stream().map(Node::text).toList(), plan.seed());
    context.console().say("mine: looking for neighbours");
    Pool pool = Pool.mine(spark, seen, nodes, space, plan);
    context
        .console()
        .say(
            "mine: "
                + pool.clusters().size()
                + " clusters in "
                + pool.families().size()
                + " families");

    Set<String> used =
        new TreeSet<>(previous.map(MineState::read).map(MineState::ids).orElse(new TreeSet<>()));
    Matches matches = matches(pool, previous, used);
    Map<String, Living> before = previous.map(p -> living(p, 0)).orElse(Map.of());
    List<Living> living = new ArrayList<>();
    for (int c = 0; c < pool.clusters().size(); c++) {
      Core core = pool.clusters().get(c);
      living.add(
          new Living(
              matches.clusters().ids().get(c),
              matches.families().ids().get(pool.familyOf()[c]),
              pool.tenants().get(c),
              matches.clusters().events().get(c),
              matches.clusters().parents().get(c),
              core.centroid(),
              core.exemplars(),
              core.terms(),
              pool.statistics().getOrDefault(c, new Statistics())));
    }
    List<Living> retired = new ArrayList<>();
    for (String id : matches.clusters().retired()) {
      Living gone = before.get(id);
      if (gone != null) {
        retired.add(gone.with(Event.RETIRED));
      }
    }
    List<FamilyState> families = new ArrayList<>();
    for (int f = 0; f < pool.families().size(); f++) {
      families.add(
          new FamilyState(
              matches.families().ids().get(f),
              pool.tenants().get(pool.clusters().size() + f),
              pool.families().get(f).centroid().toSparse()));
    }
    String[] clusterIds = matches.clusters().ids().toArray(String[]::new);
    String[] familyIds = matches.families().ids().toArray(String[]::new);
    Dataset<Row> open = latestOpen(pool.placed().filter("cluster < 0"));
    Dataset<Row> settled = without(pool.placed(), open);
    long rows = Arrays.stream(nodes.copies()).asLongStream().sum();
    String settledDigest = writeMembers(settled, clusterIds, familyIds, settledPath(0));
    String openDigest =
        writeMembers(open, clusterIds, familyIds, MineState.openMembers(context.output()));
    writeOpen(open);
    MineState state = new MineState(new TreeSet<>(used), rows, 0, List.of(settledDigest));
    StageResult result =
        finish(
            new Outcome(
                space, living, retired, families, state, openDigest, "everything", rows, rows));
    pool.placed().unpersist();
    nodes.rdd().unpersist(false);
    seen.unpersist();
    return result;
  }

  private record Matches(Identity clusters, Identity families) {}

  private Matches matches(Pool pool, Optional<Artifact> previous, Set<String> used) {
    List<String> clusterNames = new ArrayList<>();
    for (int c = 0; c < pool.clusters().size(); c++) {
      clusterNames.add(pool.tenants().get(c) + "\n" + pool.clusters().get(c).medoidKey());
    }
    List<String> familyNames = new ArrayList<>();
    for (int f = 0; f < pool.families().size(); f++) {
      familyNames.add(
          pool.tenants().get(pool.clusters().size() + f)
              + "\n"
              + pool.families().get(f).medoidKey());
    }
    List<Overlap> clusters = new ArrayList<>();
    List<Overlap> families = new ArrayList<>();
    if (previous.isPresent()) {
      Dataset<Row> before =
          SparkTables.read(spark, Tables.MEMBERS, List.of(previous.get()))
              .selectExpr("interaction_id", "cluster_id", "family_id");
      Dataset<Row> both =
          before.join(
              pool.placed().selectExpr("interaction_id", "cluster", "family"), "interaction_id");
      for (Row row :
          both.filter("cluster_id is not null and cluster >= 0")
              .groupBy("cluster_id", "cluster")
              .count()
              .collectAsList()) {
        clusters.add(new Overlap(row.getString(0), row.getInt(1), row.getLong(2)));
      }
      for (Row row : both.groupBy("family_id", "family").count().collectAsList()) {
        families.add(new Overlap(row.getString(0), row.getInt(1), row.getLong(2)));
      }
    }
    List<String> clustersBefore = clusters.stream().map(Overlap::before).distinct().toList();
    List<String> all =
        previous.map(p -> living(p, 0).keySet().stream().sorted().toList()).orElse(clustersBefore);
    return new Matches(
        Identity.of("c-", clusterNames, all, clusters, used),
        Identity.of("f-", familyNames, List.of(), families, used));
  }

  // -------------------------------------------------------------------------------- what is new

  StageResult add(Dataset<Row> interactions, long added, Artifact before, MineState state)
      throws IOException {
    HashedSpace space = HashedSpace.load(before.file(MineState.SPACE));
    SpaceHandle handle = new SpaceHandle(jobs, space);
    Map<String, Living> known = living(before, space.denseWidth());
    List<Living> clusters = new ArrayList<>(known.values());
    List<FamilyState> families =
        new ArrayList<>(FamilyState.TABLE.readAll(before.file("families.parquet")));
    Dataset<Row> seen = SeenRows.of(interactions, plan).persist(StorageLevel.MEMORY_AND_DISK());
    Nodes fresh = Nodes.of(seen);
    Dataset<Row> placed = Placement.run(spark, jobs, seen, fresh, handle, clusters, families);
    Map<Integer, Statistics> more = Pool.statistics(placed);
    more.forEach((c, statistics) -> clusters.get(c).statistics().merge(statistics));

    Dataset<Row> openBefore =
        SparkTables.readPaths(spark, SeenRow.OPEN, List.of(before.file("open")));
    Dataset<Row> remainder =
        placed
            .filter("cluster < 0")
            .select(columns(seenColumns))
            .union(openBefore.select(columns(seenColumns)))
            .persist(StorageLevel.MEMORY_AND_DISK());
    Nodes nodes = Nodes.of(remainder);
    Pool pool = Pool.mine(spark, remainder, nodes, space, plan);

    Set<String> used = new TreeSet<>(state.ids());
    String[] familyIds = new String[pool.families().size()];
    for (int f = 0; f < familyIds.length; f++) {
      familyIds[f] =
          nearestFamily(
              pool.families().get(f).centroid(),
              pool.tenants().get(pool.clusters().size() + f),
              families,
              space.denseWidth(),
              0);
    }
    String[] clusterIds = new String[pool.clusters().size()];
    int[] nearest = nearestClusters(pool, clusters);
    int born = 0;
    for (int c = 0; c < clusterIds.length; c++) {
      Core core = pool.clusters().get(c);
      Statistics statistics = pool.statistics().getOrDefault(c, new Statistics());
      if (nearest[c] >= 0) {
        clusters.get(nearest[c]).statistics().merge(statistics);
        clusterIds[c] = clusters.get(nearest[c]).id();
        continue;
      }
      String tenant = pool.tenants().get(c);
      clusterIds[c] = Identity.fresh("c-", tenant + "\n" + core.medoidKey(), used);
      String family = nearestFamily(core.centroid(), tenant, families, space.denseWidth(), KIN);
      if (family.isEmpty()) {
        family = Identity.fresh("f-", tenant + "\n" + core.medoidKey(), used);
        families.add(new FamilyState(family, tenant, core.centroid().toSparse()));
      }
      familyIds[pool.familyOf()[c]] = family;
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
    for (int f = 0; f < familyIds.length; f++) {
      if (familyIds[f].isEmpty()) {
        String tenant = pool.tenants().get(pool.clusters().size() + f);
        Core core = pool.families().get(f);
        familyIds[f] = Identity.fresh("f-", tenant + "\n" + core.medoidKey(), used);
        families.add(new FamilyState(familyIds[f], tenant, core.centroid().toSparse()));
      }
    }
    context
        .console()
        .say("mine: " + added + " new interactions placed, " + born + " clusters born");

    int night = state.settled().size();
    for (int i = 0; i < night; i++) {
      link(MineState.settled(before.directory(), i), settledPath(i));
    }
    Dataset<Row> open = latestOpen(pool.placed().filter("cluster < 0"));
    Dataset<Row> rest = without(pool.placed(), open);
    String[] knownIds = known.keySet().toArray(String[]::new);
    String[] allFamilies = families.stream().map(FamilyState::familyId).toArray(String[]::new);
    Dataset<Row> settled =
        members(placed.filter("cluster >= 0"), knownIds, allFamilies)
            .union(members(rest, clusterIds, familyIds));
    String settledDigest = write(settled, settledPath(night));
    String openDigest =
        writeMembers(open, clusterIds, familyIds, MineState.openMembers(context.output()));
    writeOpen(open);
    List<String> digests = new ArrayList<>(state.settled());
    digests.add(settledDigest);
    MineState next =
        new MineState(new TreeSet<>(used), state.rows(), state.rowsSince() + added, digests);
    StageResult result =
        finish(
            new Outcome(
                space,
                clusters,
                List.of(),
                families,
                next,
                openDigest,
                "added",
                added,
                state.rows() + state.rowsSince() + added));
    placed.unpersist();
    pool.placed().unpersist();
    remainder.unpersist();
    seen.unpersist();
    return result;
  }

  private static int[] nearestClusters(Pool pool, List<Living> known) {
    int[] nearest = new int[pool.clusters().size()];
    for (int c = 0; c < nearest.length; c++) {
      TextVector centroid = pool.clusters().get(c).centroid();
      nearest[c] = -1;
      double best = SAME;
      for (int k = 0; k < known.size(); k++) {
        if (known.get(k).tenant().equals(pool.tenants().get(c))) {
          double cosine = known.get(k).centroid().cosine(centroid);
          if (cosine > best) {
            best = cosine;
            nearest[c] = k;
          }
        }
      }
    }
    return nearest;
  }

  private static String nearestFamily(
      TextVector centroid, String tenant, List<FamilyState> families, int width, double floor) {
    String nearest = "";
    double best = floor;
    for (FamilyState family : families) {
      if (family.tenant().equals(tenant)) {
        double cosine = TextVector.of(family.centroid(), width).cosine(centroid);
        if (cosine > best) {
          best = cosine;
          nearest = family.familyId();
        }
      }
    }
    return nearest;
  }

  // -------------------------------------------------------------------------------- the artifact

  private record Outcome(
      HashedSpace space,
      List<Living> living,
      List<Living> retired,
      List<FamilyState> families,
      MineState state,
      String openDigest,
      String how,
      long mined,
      long interactions) {}

  private StageResult finish(Outcome outcome) {
    Path output = context.output();
    outcome.space().save(output.resolve(MineState.SPACE));
    List<Living> all = new ArrayList<>(outcome.living());
    all.addAll(outcome.retired());
    all.sort(Comparator.comparing(Living::id));
    String digest = outcome.space().digest();
    Iterable<io.knack.contracts.Cluster> cards =
        () -> all.stream().map(one -> one.card(plan, digest)).iterator();
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
    return StageResult.Produced.of(RowsDigest.join(digests), plan.seed(), figures);
  }

  private static Map<String, Living> living(Artifact artifact, int width) {
    Map<String, Living> all = new LinkedHashMap<>();
    int dense = width > 0 ? width : HashedSpace.load(artifact.file(MineState.SPACE)).denseWidth();
    try (Stream<ClusterState> states = ClusterState.TABLE.read(artifact.file("states.parquet"))) {
      states.forEach(state -> all.put(state.clusterId(), Living.of(state, dense)));
    }
    return all;
  }

  private Path settledPath(int night) {
    return MineState.settled(context.output(), night);
  }

  /** The latest rows without a cluster: what later nights may still cluster. */
  private Dataset<Row> latestOpen(Dataset<Row> rows) {
    return rows.orderBy(functions.col("day").desc(), functions.col("interaction_id"))
        .limit(plan.openLimit())
        .persist(StorageLevel.MEMORY_AND_DISK());
  }

  private static Dataset<Row> without(Dataset<Row> rows, Dataset<Row> some) {
    return rows.join(
        some.select("interaction_id"),
        scala.jdk.javaapi.CollectionConverters.asScala(List.of("interaction_id")).toSeq(),
        "left_anti");
  }

  private String writeMembers(
      Dataset<Row> placed, String[] clusterIds, String[] familyIds, Path place) {
    return write(members(placed, clusterIds, familyIds), place);
  }

  private Dataset<Row> members(Dataset<Row> placed, String[] clusterIds, String[] familyIds) {
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
    members.write().parquet(place.toUri().toString());
    return RowsDigest.of(
        members.sparkSession().read().schema(members.schema()).parquet(place.toUri().toString()),
        Tables.MEMBERS);
  }

  private void writeOpen(Dataset<Row> open) {
    SparkTables.write(open.select(columns(seenColumns)), SeenRow.OPEN, context.output());
    open.unpersist();
  }

  private static org.apache.spark.sql.Column[] columns(String[] names) {
    return Arrays.stream(names).map(functions::col).toArray(org.apache.spark.sql.Column[]::new);
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
