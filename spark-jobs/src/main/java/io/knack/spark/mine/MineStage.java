package io.knack.spark.mine;

import io.knack.contracts.plan.Plans;
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
import io.knack.practice.features.SentenceEncoder;
import io.knack.spark.frame.SparkSessions;
import io.knack.spark.frame.SparkTables;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/**
 * Stage {@code mine}. The first night, and once much of the log is newer than the feature space,
 * everything is mined; other nights place what is new and cluster the remainder.
 */
public final class MineStage implements Stage<MinePlan> {
  private final @Nullable SparkSession given;

  /** In a session of its own. */
  public MineStage() {
    this(null);
  }

  /**
   * @param session stays open; null for one of its own
   */
  public MineStage(@Nullable SparkSession session) {
    this.given = session;
  }

  @Override
  public String name() {
    return "mine";
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.CLUSTERS;
  }

  @Override
  public Class<MinePlan> planType() {
    return MinePlan.class;
  }

  @Override
  public String fingerprint(MinePlan plan) {
    Path checkpoint = encoder(plan);
    return checkpoint == null ? "" : SentenceEncoder.open(checkpoint).digest();
  }

  @Override
  public List<StageInput> inputs(MinePlan plan) {
    return List.of(
        new StageInput(ArtifactKind.INTERACTIONS, Need.CHAIN),
        new StageInput(ArtifactKind.CLUSTERS, Need.LATEST_IF_ANY));
  }

  @Override
  public StageResult run(MinePlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    SparkSession own = given == null ? SparkSessions.open("mine") : null;
    try {
      return run(own == null ? given : own, plan, inputs, context);
    } finally {
      if (own != null) {
        own.close();
      }
    }
  }

  private static StageResult run(
      @Nullable SparkSession session, MinePlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    SparkSession spark = java.util.Objects.requireNonNull(session);
    List<Artifact> chain = inputs.chain(ArtifactKind.INTERACTIONS);
    Optional<Artifact> previous = inputs.latest(ArtifactKind.CLUSTERS);
    if (previous.isPresent()) {
      Artifact before = previous.get();
      List<Artifact> fresh = fresh(chain, before);
      boolean samePlan = before.card().plan().equals(Plans.canonicalJson(plan));
      if (samePlan
          && !plan.allAsOneCluster()
          && sameEncoder(plan, before)
          && keepsAll(chain, before)) {
        MineState state = MineState.read(before);
        Dataset<Row> rows = SparkTables.read(spark, Tables.INTERACTIONS, fresh);
        long added = rows.count();
        if (state.rowsSince() + added <= plan.refreshShare() * state.rows()) {
          return new NextNight(spark, plan, context).run(rows, added, before, state);
        }
      }
    }
    Dataset<Row> rows = SparkTables.read(spark, Tables.INTERACTIONS, chain);
    return new FullNight(spark, plan, context).run(rows, previous);
  }

  private static List<Artifact> fresh(List<Artifact> chain, Artifact before) {
    Set<ArtifactRef> known = new HashSet<>(before.card().inputs());
    return chain.stream().filter(artifact -> !known.contains(artifact.ref())).toList();
  }

  /** False when another checkpoint lies in the encoder's place: its vectors are not comparable. */
  private static boolean sameEncoder(MinePlan plan, Artifact before) {
    Path checkpoint = encoder(plan);
    return checkpoint == null
        || SentenceEncoder.open(checkpoint)
            .digest()
            .equals(before.card().figures().get(NightFiles.ENCODER));
  }

  static @Nullable Path encoder(MinePlan plan) {
    return plan.encoder() == null ? null : Path.of(plan.encoder());
  }

  /** False after an erasure: what was mined must be mined again. */
  private static boolean keepsAll(List<Artifact> chain, Artifact before) {
    Set<ArtifactRef> present = new HashSet<>();
    chain.forEach(artifact -> present.add(artifact.ref()));
    return before.card().inputs().stream()
        .filter(ref -> ref.kind() == ArtifactKind.INTERACTIONS)
        .allMatch(present::contains);
  }
}
