package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Cluster;
import io.knack.contracts.Cluster.Event;
import io.knack.contracts.cli.Console;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.features.SentenceEncoder;
import io.knack.practice.features.VectorCache;
import io.knack.spark.frame.SharedSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nights of mining with a tiny random encoder: what is encoded, kept, found again, refused. */
final class EncodedNightTest {
  private static final Path ENCODERS =
      Path.of(System.getProperty("knack.root", ".."), "llm/src/test/resources/encoder");

  private final SparkSession spark = SharedSpark.session();
  private final SyntheticLog log = new SyntheticLog(300, 5);

  @Test
  void aSecondNightEncodesOnlyWhatIsNew(@TempDir Path home) throws Exception {
    String encoder = "encoder=" + ENCODERS.resolve("mean");
    BenchMineCommand.commit(spark, home, log, 0, 120);
    mine(home, encoder);
    Artifact first = latest(home);
    Map<String, Object> figures = first.card().figures();
    long texts = number(figures, "encoded");
    assertThat(texts).isBetween(20L, 120L);
    assertThat(figures).containsEntry("encoder_name", "mean");
    assertThat(number(figures, "vectors_from_cache")).isZero();

    // The space names the encoder by its digest; the workspace knows where it lies.
    FeatureSpace space = FeatureSpace.load(first.file(MineState.SPACE), Encoders.of(home));
    assertThat(space.digest()).isEqualTo(figures.get("feature_space"));
    assertThat(cards(first)).allMatch(c -> c.featureSpaceDigest().equals(space.digest()));

    // Everything again, and some more: what was encoded lies there.
    BenchMineCommand.commit(spark, home, log, 120, 140);
    mine(home, encoder, "exemplars=4");
    Map<String, Object> second = latest(home).card().figures();
    assertThat(second).containsEntry("how", "everything");
    long encoded = number(second, "encoded"); // a new text may stand for others alike
    assertThat(encoded).isBetween(1L, 20L);
    assertThat(number(second, "vectors_from_cache")).isBetween(texts - encoded, texts);

    // A lost cache is made again, and nothing else changes.
    DurableFiles.deleteTree(home.resolve("cache"));
    BenchMineCommand.commit(spark, home, log, 140, 141);
    mine(home, encoder, "exemplars=4");
    Map<String, Object> lost = latest(home).card().figures();
    assertThat(lost).containsEntry("how", "added");
    assertThat(number(lost, "interactions")).isEqualTo(141);
    assertThat(number(lost, "encoded")).isPositive();
  }

  @Test
  void contentDependsNeitherOnPartitionsNorOnTheCache(@TempDir Path homes) throws Exception {
    String plan = "encoder=" + ENCODERS.resolve("mean");
    Path once = homes.resolve("once");
    Path grown = homes.resolve("grown");
    BenchMineCommand.commit(spark, once, log, 0, 200);
    BenchMineCommand.commit(spark, grown, log, 0, 200);
    mine(once, plan);
    // Half of the texts lie there already, encoded in another batch.
    SentenceEncoder encoder = SentenceEncoder.open(ENCODERS.resolve("mean"));
    List<String> half = LongStream.range(0, 90).mapToObj(log::text).distinct().toList();
    VectorCache.open(Encoders.vectors(grown, encoder.digest())).add(half, encoder.embed(half));
    String before = spark.conf().get("spark.sql.shuffle.partitions");
    spark.conf().set("spark.sql.shuffle.partitions", "7");
    try {
      mine(grown, plan);
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", before);
    }
    assertThat(number(latest(grown).card().figures(), "vectors_from_cache")).isPositive();
    assertThat(latest(grown).card().contentDigest()).isEqualTo(latest(once).card().contentDigest());
  }

  @Test
  void anotherEncoderInItsPlaceIsSeen(@TempDir Path home) throws Exception {
    Path place = home.resolve("encoder");
    copy(ENCODERS.resolve("mean"), place);
    BenchMineCommand.commit(spark, home, log, 0, 100);
    mine(home, "encoder=" + place);
    Artifact first = latest(home);

    Path other = home.resolve("other");
    copy(ENCODERS.resolve("distilbert"), other);
    assertThatThrownBy(
            () -> FeatureSpace.load(first.file(MineState.SPACE), Encoders.of(home).at(other)))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("made with the sentence encoder encoder (digest ")
        .hasMessageContaining(other + " is another one")
        .hasMessageContaining("run ./knack mine again");

    // The same plan, the same log; what the plan names is another checkpoint now.
    DurableFiles.deleteTree(place);
    assertThatThrownBy(() -> FeatureSpace.load(first.file(MineState.SPACE), Encoders.none()))
        .hasMessageContaining("nothing in this workspace says where it lies");
    mine(home, "encoder=" + other);
    Artifact second = latest(home);
    assertThat(second.card().figures()).containsEntry("how", "everything");
    assertThat(second.card().figures().get("feature_space"))
        .isNotEqualTo(first.card().figures().get("feature_space"));
    // A retired cluster's centroid lives where it was made.
    assertThat(all(second))
        .allMatch(
            c ->
                c.featureSpaceDigest()
                    .equals(
                        (c.event() == Event.RETIRED ? first : second)
                            .card()
                            .figures()
                            .get("feature_space")));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  private static long number(Map<String, Object> figures, String name) {
    return ((Number) Objects.requireNonNull(figures.get(name), name)).longValue();
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

  private static List<Cluster> all(Artifact clusters) {
    return Tables.CLUSTERS.readAll(clusters.file("clusters.parquet"));
  }

  private static List<Cluster> cards(Artifact clusters) {
    return all(clusters).stream().filter(c -> c.event() != Event.RETIRED).toList();
  }
}
