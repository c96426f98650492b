package io.knack.spark.mine;

import io.knack.contracts.Cluster.Event;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.EncodedSpace;
import io.knack.practice.features.SentenceEncoder;
import io.knack.practice.features.TextSpace;
import io.knack.practice.features.TextVector;
import io.knack.practice.features.VectorCache;
import io.knack.spark.frame.SparkTables;
import io.knack.spark.frame.Whole;
import io.knack.spark.mine.Identity.Overlap;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;

/** A night that mines everything; clusters of the night before keep their ids. */
final class FullNight {
  private final SparkSession spark;
  private final MinePlan plan;
  private final StageContext context;
  private final NightFiles files;
  private final Encoding encoding;

  FullNight(SparkSession spark, MinePlan plan, StageContext context) {
    this.spark = spark;
    this.plan = plan;
    this.context = context;
    this.files =
        new NightFiles(JavaSparkContext.fromSparkContext(spark.sparkContext()), plan, context);
    this.encoding = new Encoding(context.home());
  }

  StageResult run(Dataset<Row> interactions, Optional<Artifact> previous) throws IOException {
    Dataset<Row> seen = SeenRows.of(interactions, plan).persist(StorageLevel.MEMORY_AND_DISK());
    Nodes nodes = Nodes.of(seen);
    if (nodes.size() == 0) {
      return new StageResult.Nothing(
          "the log holds no interaction; import one with ./knack import");
    }
    context.console().say("mine: " + nodes.size() + " different texts; learning their features");
    TextSpace space = learn(nodes);
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
    Map<String, Living> before =
        previous.map(p -> NightFiles.living(p, TextVector::of)).orElse(Map.of());
    Matches matches =
        plan.allAsOneCluster()
            ? whole(pool, before.keySet(), used)
            : matches(pool, previous, before.keySet(), used);
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
              pool.tenantOfFamily(f),
              pool.families().get(f).centroid().toSparse()));
    }
    String[] clusterIds = matches.clusters().ids().toArray(String[]::new);
    String[] familyIds = matches.families().ids().toArray(String[]::new);
    Dataset<Row> open = files.latestOpen(pool.placed().filter("cluster < 0"));
    Dataset<Row> settled = NightFiles.without(pool.placed(), open);
    long rows = Arrays.stream(nodes.copies()).asLongStream().sum();
    String settledDigest = files.writeSettled(files.members(settled, clusterIds, familyIds), 0);
    String openDigest = files.writeOpen(open, clusterIds, familyIds);
    MineState state = new MineState(new TreeSet<>(used), rows, 0, List.of(settledDigest));
    StageResult result =
        files.finish(
            new NightFiles.Outcome(
                space,
                living,
                retired,
                families,
                state,
                openDigest,
                "everything",
                rows,
                rows,
                previous.map(p -> (String) p.card().figures().get("feature_space")).orElse(null),
                encoding.figures()));
    pool.placed().unpersist();
    nodes.rdd().unpersist(false);
    seen.unpersist();
    return result;
  }

  private TextSpace learn(Nodes nodes) {
    List<Node> some = nodes.some(nodes.spread(plan.fitSample()));
    Path checkpoint = MineStage.encoder(plan);
    if (checkpoint == null) {
      return Learning.hashed(some, plan);
    }
    List<String> sample = some.stream().map(Node::text).toList();
    SentenceEncoder encoder = SentenceEncoder.open(checkpoint);
    VectorCache vectors = encoding.run(nodes, encoder);
    return EncodedSpace.fit(
            encoder,
            sample,
            sample.stream()
                .map(text -> Objects.requireNonNull(vectors.find(text), "encoded above"))
                .toList(),
            plan.seed())
        .with(vectors);
  }

  private record Matches(Identity clusters, Identity families) {}

  private Matches matches(
      Pool pool, Optional<Artifact> previous, Set<String> before, Set<String> used) {
    List<String> clusterNames = new ArrayList<>();
    for (int c = 0; c < pool.clusters().size(); c++) {
      clusterNames.add(pool.tenants().get(c) + "\n" + pool.clusters().get(c).medoidKey());
    }
    List<String> familyNames = new ArrayList<>();
    for (int f = 0; f < pool.families().size(); f++) {
      familyNames.add(pool.tenantOfFamily(f) + "\n" + pool.families().get(f).medoidKey());
    }
    List<Overlap> clusters = new ArrayList<>();
    List<Overlap> families = new ArrayList<>();
    if (previous.isPresent()) {
      Dataset<Row> members =
          SparkTables.read(spark, Tables.MEMBERS, List.of(previous.get()))
              .selectExpr("interaction_id", "cluster_id", "family_id");
      Dataset<Row> both =
          members.join(
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
    return new Matches(
        Identity.of("c-", clusterNames, before.stream().sorted().toList(), clusters, used),
        Identity.of("f-", familyNames, List.of(), families, used));
  }

  /** Everything of a tenant is named after the tenant alone, and is its own family. */
  private static Matches whole(Pool pool, Set<String> before, Set<String> used) {
    List<String> ids = new ArrayList<>();
    List<Event> events = new ArrayList<>();
    List<List<String>> parents = new ArrayList<>();
    for (int c = 0; c < pool.clusters().size(); c++) {
      String tenant = pool.tenants().get(c);
      String id = Whole.cluster(tenant.equals(SeenRows.SHARED) ? null : tenant);
      ids.add(id);
      events.add(before.contains(id) ? Event.CONTINUED : Event.BORN);
      parents.add(before.contains(id) ? List.of(id) : List.of());
    }
    used.addAll(ids);
    List<String> retired = before.stream().filter(id -> !ids.contains(id)).sorted().toList();
    Identity same = new Identity(ids, events, parents, retired);
    return new Matches(same, same);
  }
}
