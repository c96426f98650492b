package io.knack.spark.curate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;

import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Split;
import io.knack.contracts.erasure.RetrainQueue;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.table.Tables;
import io.knack.llm.LanguageModel;
import io.knack.llm.MeteredModel;
import io.knack.practice.verify.JudgeModels;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.frame.RowsDigest;
import io.knack.spark.frame.SparkTables;
import io.knack.spark.frame.Whole;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.jspecify.annotations.Nullable;

/** From clusters to examples and evidence: splits, guards, verification and choice. */
public final class CurateStage implements Stage<CuratePlan> {
  private static final RowCodec<Interaction> INTERACTIONS = RowCodec.of(Tables.INTERACTIONS);
  private static final RowCodec<Candidate> CANDIDATES = RowCodec.of(Candidate.class);

  private final Supplier<SparkSession> session;

  public CurateStage(Supplier<SparkSession> session) {
    this.session = session;
  }

  @Override
  public String name() {
    return "curate";
  }

  @Override
  public Class<CuratePlan> planType() {
    return CuratePlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.CURRICULUM;
  }

  @Override
  public List<StageInput> inputs(CuratePlan plan) {
    return List.of(
        new StageInput(ArtifactKind.INTERACTIONS, Need.CHAIN),
        new StageInput(
            ArtifactKind.CLUSTERS, plan.allAsOneCluster() ? Need.LATEST_IF_ANY : Need.LATEST),
        new StageInput(ArtifactKind.CURRICULUM, Need.CHAIN_IF_ANY));
  }

  @Override
  public StageResult run(CuratePlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    Verification.check(plan);
    SparkSession spark = session.get();
    List<Artifact> chain = inputs.chain(ArtifactKind.INTERACTIONS);
    Dataset<Row> interactions = SparkTables.read(spark, Tables.INTERACTIONS, chain);
    Row known = interactions.agg(count(lit(1)), count(col("reference"))).head();
    if (plan.verifiers().isEmpty() && known.getLong(1) == 0) {
      return new StageResult.Nothing(
          "none of "
              + known.getLong(0)
              + " interactions can be verified"
              + Curator.WHAT_TO_CONFIGURE);
    }
    List<Artifact> earlier = earlierNights(inputs, chain);
    Map<ClusterId, Curator.Prospect> prospects = new LinkedHashMap<>();
    Steps steps = new Steps();
    Dataset<Row> pool;
    if (plan.allAsOneCluster()) {
      pool = interactions.withColumn("cluster_id", Whole.cluster());
      warnUnlessMinedSo(inputs, context);
    } else {
      Artifact clusters = inputs.required(ArtifactKind.CLUSTERS);
      List<Cluster> all = Tables.CLUSTERS.readAllFrom(clusters.directory());
      Set<ClusterId> retrain = Set.copyOf(RetrainQueue.read(context.home()).clusters());
      List<Cluster> offered = offered(plan, all, retrain, steps);
      if (offered.isEmpty()) {
        return new StageResult.Nothing(
            "no cluster is offered for learning: of "
                + all.size()
                + " none reaches the privacy floor of mine (min_subjects, min_interactions); logs"
                + " without subjects need assume_distinct_subjects: true in its plan");
      }
      offered.forEach(
          cluster ->
              prospects.put(
                  cluster.clusterId(),
                  new Curator.Prospect(
                      cluster.expectedSavingPerMonth(),
                      nightsSince(earlier, cluster.clusterId()),
                      learnt(earlier, cluster.clusterId()))));
      pool = pool(plan, interactions, members(spark, clusters), prospects);
    }
    List<Candidate> candidates = verified(plan, latest(plan, pool));
    Map<String, Object> judges = new LinkedHashMap<>();
    if (plan.verifiers().stream().anyMatch(VerifierRule::isJudge)) {
      try (LanguageModel model =
          new MeteredModel(
              JudgeModels.open(plan.model(), plan.endpoint(), plan.endpointModel(), plan.calls()),
              context.allowance())) {
        Judging judging = new Judging(plan, model, context.console()::say);
        candidates = judging.judged(candidates);
        judges.putAll(judging.figures());
      }
    }
    Curator.Ending ending =
        new Curator(plan, steps)
            .curate(candidates, prospects, anchor(inputs), sealedUntil(earlier));
    if (ending instanceof Curator.Ending.Nothing nothing) {
      return new StageResult.Nothing(
          nothing.reason() + (judges.isEmpty() ? "" : "; the plan's judges: " + judges));
    }
    Curriculum curriculum = ((Curator.Ending.Made) ending).curriculum().with(judges);
    Tables.EXAMPLES.writeInto(context.output(), curriculum.examples());
    Tables.EVIDENCE.writeInto(context.output(), curriculum.evidence());
    Files.writeString(context.output().resolve("CARD.md"), CurriculumCard.of(curriculum, plan));
    Map<String, Object> figures = new LinkedHashMap<>(curriculum.figures());
    for (Curriculum.Step step : curriculum.steps()) {
      figures.put("step_" + step.name().replace(' ', '_'), step.in() + " -> " + step.out());
    }
    figures.put(
        "clusters",
        curriculum.clusters().stream()
            .filter(Curriculum.Choice::learnt)
            .map(Curriculum.Choice::clusterId)
            .toList());
    return StageResult.Produced.of(
        RowsDigest.join(
            List.of(
                Tables.EXAMPLES.contentDigest(curriculum.examples()),
                Tables.EVIDENCE.contentDigest(curriculum.evidence()))),
        plan.seed(),
        figures);
  }

  // ---- what is looked at

  /** Later stages look clusters up in what mine wrote. */
  private static void warnUnlessMinedSo(StageInputs inputs, StageContext context) {
    boolean known =
        inputs
            .latest(ArtifactKind.CLUSTERS)
            .filter(
                artifact ->
                    Tables.CLUSTERS.readAllFrom(artifact.directory()).stream()
                        .anyMatch(cluster -> Whole.is(cluster.clusterId())))
            .isPresent();
    if (!known) {
      context
          .console()
          .say(
              "curate: the latest mining does not know the one cluster of everything, so that"
                  + " remember, reflect and evaluate will not know it either; for them, run mine"
                  + " with all_as_one_cluster: true in its plan");
    }
  }

  /** What an erasure took an adapter from comes first, then what promises most. */
  private static List<Cluster> offered(
      CuratePlan plan, List<Cluster> clusters, Set<ClusterId> retrain, Steps steps) {
    List<Cluster> living =
        clusters.stream().filter(cluster -> cluster.event() != Cluster.Event.RETIRED).toList();
    List<Cluster> eligible =
        steps.took(
            "clusters offered by mine",
            living,
            living.stream()
                .filter(Cluster::eligible)
                .sorted(
                    Comparator.comparing(
                            (Cluster cluster) -> !retrain.contains(cluster.clusterId()))
                        .thenComparing(cluster -> -cluster.expectedSavingPerMonth())
                        .thenComparing(cluster -> cluster.clusterId().value()))
                .toList(),
            "below the privacy floor");
    List<Cluster> looked = new ArrayList<>();
    long interactions = 0;
    for (Cluster cluster : eligible) {
      interactions += Math.min(cluster.size(), plan.maxPerCluster());
      if (looked.size() == plan.maxClusters() || interactions > plan.maxInteractions()) {
        break;
      }
      looked.add(cluster);
    }
    return steps.took(
        "clusters looked at",
        eligible,
        looked,
        "max_clusters or max_interactions is reached; these promise less");
  }

  private static Dataset<Row> members(SparkSession spark, Artifact clusters) {
    return SparkTables.read(spark, Tables.MEMBERS, List.of(clusters));
  }

  /** Members of the offered clusters, and what belongs to no cluster, for the anchor. */
  private static Dataset<Row> pool(
      CuratePlan plan,
      Dataset<Row> interactions,
      Dataset<Row> members,
      Map<ClusterId, Curator.Prospect> prospects) {
    Object[] offered = prospects.keySet().stream().map(ClusterId::value).toArray();
    Dataset<Row> wanted =
        members
            .filter(col("cluster_id").isNull().or(col("cluster_id").isin(offered)))
            .select(col("interaction_id"), col("cluster_id"));
    Dataset<Row> joined =
        interactions.join(wanted, col("id").equalTo(col("interaction_id"))).drop("interaction_id");
    Dataset<Row> anchors =
        joined
            .filter(col("cluster_id").isNull())
            .orderBy(sha2(concat(lit(plan.seed()), col("id")), 256), col("id"))
            .limit(20 * plan.anchorSize());
    return joined.filter(col("cluster_id").isNotNull()).union(anchors);
  }

  /** The latest of each cluster, so that a night is bounded by its plan. */
  private static Dataset<Row> latest(CuratePlan plan, Dataset<Row> pool) {
    return pool.withColumn(
            "nth",
            row_number()
                .over(
                    Window.partitionBy("cluster_id")
                        .orderBy(col("occurred_at").desc(), col("id").asc())))
        .filter(col("nth").leq(plan.maxPerCluster()).or(col("cluster_id").isNull()))
        .drop("nth");
  }

  /** Verified in Spark's tasks; the plan bounds what comes back. */
  private static List<Candidate> verified(CuratePlan plan, Dataset<Row> pool) {
    Column interaction =
        struct(
            Arrays.stream(INTERACTIONS.schema().fieldNames())
                .map(org.apache.spark.sql.functions::col)
                .toArray(Column[]::new));
    List<Candidate> candidates = new ArrayList<>();
    pool.select(interaction.as("interaction"), col("cluster_id"))
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>) rows -> verify(plan, rows), CANDIDATES.encoder())
        .collectAsList()
        .forEach(row -> candidates.add(CANDIDATES.fromRow(row)));
    candidates.sort(Comparator.comparing(candidate -> candidate.interaction().id().value()));
    return candidates;
  }

  private static Iterator<Row> verify(CuratePlan plan, Iterator<Row> rows) {
    Verification verification = new Verification(plan);
    TaskContext task = TaskContext.get();
    if (task != null) {
      task.addTaskCompletionListener(
          (org.apache.spark.util.TaskCompletionListener) ended -> verification.close());
    }
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Row next() {
        Row row = rows.next();
        Interaction interaction = INTERACTIONS.fromRow(row.getStruct(0));
        String cluster = row.getString(1);
        return CANDIDATES.toRow(
            verification.verify(interaction, cluster == null ? null : new ClusterId(cluster)));
      }
    };
  }

  // ---- earlier nights

  /** Curricula that were made of other interactions than tonight's; a night made again is none. */
  private static List<Artifact> earlierNights(StageInputs inputs, List<Artifact> chain) {
    List<ArtifactRef> tonight = chain.stream().map(Artifact::ref).toList();
    return inputs.chain(ArtifactKind.CURRICULUM).stream()
        .filter(
            artifact ->
                !artifact.card().inputs().stream()
                    .filter(ref -> ref.kind() == ArtifactKind.INTERACTIONS)
                    .toList()
                    .equals(tonight))
        .toList();
  }

  private static List<Example> anchor(StageInputs inputs) {
    return inputs
        .latest(ArtifactKind.CURRICULUM)
        .map(
            artifact ->
                Tables.EXAMPLES.readAllFrom(artifact.directory()).stream()
                    .filter(example -> example.split() == Split.ANCHOR)
                    .toList())
        .orElse(List.of());
  }

  private static @Nullable Instant sealedUntil(List<Artifact> earlier) {
    if (earlier.isEmpty()) {
      return null;
    }
    Artifact last = earlier.get(earlier.size() - 1);
    return Tables.EXAMPLES.readAllFrom(last.directory()).stream()
        .filter(example -> example.split() == Split.HOLDOUT)
        .map(Example::occurredAt)
        .max(Comparator.naturalOrder())
        .orElse(null);
  }

  /** Nights since a cluster was last learnt; all of them when it never was. */
  private static long nightsSince(List<Artifact> earlier, ClusterId cluster) {
    for (int i = earlier.size() - 1; i >= 0; i--) {
      if (learnt(List.of(earlier.get(i)), cluster)) {
        return (long) earlier.size() - 1 - i;
      }
    }
    return earlier.size();
  }

  private static boolean learnt(List<Artifact> nights, ClusterId cluster) {
    return nights.stream()
        .anyMatch(
            night ->
                night.card().figures().get("clusters") instanceof List<?> learnt
                    && learnt.contains(cluster.value()));
  }
}
