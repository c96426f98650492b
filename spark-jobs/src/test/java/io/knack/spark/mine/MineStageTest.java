package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Cluster;
import io.knack.contracts.Cluster.Event;
import io.knack.contracts.ClusterMember;
import io.knack.contracts.cli.Console;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.frame.SharedSpark;
import io.knack.spark.frame.SparkTables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MineStageTest {
  /** Spark jobs of a night that mines everything, while a tenant is one cell (4,000 texts). */
  private static final int JOBS = 19;

  private final SparkSession spark = SharedSpark.session();
  private final SyntheticLog log = new SyntheticLog(900, 5);

  @Test
  void contentDoesNotDependOnPartitionsNorJobsOnTheLog(@TempDir Path homes) throws Exception {
    Path few = homes.resolve("few");
    Path many = homes.resolve("many");
    Path longer = homes.resolve("longer");
    BenchMineCommand.commit(spark, few, log, 0, 300);
    BenchMineCommand.commit(spark, many, log, 0, 300);
    BenchMineCommand.commit(spark, longer, log, 0, 900);
    assertThat(jobsOf(() -> mine(few))).isEqualTo(JOBS);
    assertThat(jobsOf(() -> mine(longer))).isLessThanOrEqualTo(JOBS + 5);
    String before = spark.conf().get("spark.sql.shuffle.partitions");
    spark.conf().set("spark.sql.shuffle.partitions", "11");
    try {
      mine(many);
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", before);
    }
    assertThat(latest(many).card().contentDigest()).isEqualTo(latest(few).card().contentDigest());
  }

  @Test
  void idsLastAndEveryRowHasItsPlace(@TempDir Path home) throws Exception {
    BenchMineCommand.commit(spark, home, log, 0, 600);
    mine(home);
    Set<String> first = ids(latest(home));
    assertThat(first).isNotEmpty();
    BenchMineCommand.commit(spark, home, log, 600, 640);
    mine(home);
    Artifact added = latest(home);
    assertThat(added.card().figures()).containsEntry("how", "added");
    assertThat(ids(added)).containsAll(first);
    List<ClusterMember> members = members(added);
    assertThat(members).hasSize(640);
    assertThat(members.stream().map(ClusterMember::interactionId).distinct()).hasSize(640);
    assertThat(members)
        .allMatch(m -> m.familyId() != null && m.similarity() >= 0 && m.similarity() <= 1);

    mine(home, "seed=1", "min_subjects=100000");
    Artifact again = latest(home);
    assertThat(again.card().figures()).containsEntry("how", "everything");
    List<Cluster> cards = cards(again);
    long known = cards.stream().filter(c -> first.contains(c.clusterId().value())).count();
    assertThat(known).isGreaterThan(first.size() / 2);
    assertThat(ids(again)).hasSameSizeAs(cards);
    // Below the privacy floor a card and the map count and show no text.
    assertThat(cards)
        .allMatch(c -> !c.eligible() && c.exemplars().isEmpty() && c.terms().isEmpty());
    String map = Files.readString(again.file(MineState.MAP));
    assertThat(map).contains(cards.get(0).clusterId().value());
    for (long row = 0; row < 640; row++) {
      if (log.text(row).length() > 20) {
        assertThat(map).doesNotContain(log.text(row));
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private int jobsOf(Work work) throws Exception {
    AtomicInteger jobs = new AtomicInteger();
    SparkListener listener =
        new SparkListener() {
          @Override
          public void onJobStart(SparkListenerJobStart start) {
            jobs.incrementAndGet();
          }
        };
    spark.sparkContext().addSparkListener(listener);
    try {
      work.run();
      spark.sparkContext().listenerBus().waitUntilEmpty();
    } finally {
      spark.sparkContext().removeSparkListener(listener);
    }
    return jobs.get();
  }

  private void mine(Path home, String... overrides) {
    Clock clock = Clock.systemUTC();
    MinePlan plan = Plans.read(MinePlan.class, null, List.of(overrides));
    new StageRunner(home, clock, Console.silent())
        .run(new MineStage(spark), plan, StageRunner.newRunId(clock));
  }

  private static Artifact latest(Path home) {
    return ArtifactStore.open(home).latest(ArtifactKind.CLUSTERS).orElseThrow();
  }

  private static List<Cluster> cards(Artifact clusters) {
    return Tables.CLUSTERS.readAll(clusters.file("clusters.parquet")).stream()
        .filter(c -> c.event() != Event.RETIRED)
        .toList();
  }

  private static Set<String> ids(Artifact clusters) {
    return cards(clusters).stream().map(c -> c.clusterId().value()).collect(Collectors.toSet());
  }

  private List<ClusterMember> members(Artifact clusters) {
    RowCodec<ClusterMember> codec = RowCodec.of(Tables.MEMBERS);
    return codec
        .align(SparkTables.read(spark, Tables.MEMBERS, List.of(clusters)))
        .collectAsList()
        .stream()
        .map(codec::fromRow)
        .toList();
  }
}
