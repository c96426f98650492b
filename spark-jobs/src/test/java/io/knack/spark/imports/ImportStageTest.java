package io.knack.spark.imports;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.ZstdOutputStream;
import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Salt;
import io.knack.contracts.table.Tables;
import io.knack.spark.curate.CuratePlan;
import io.knack.spark.curate.CurateStage;
import io.knack.spark.frame.SharedSpark;
import io.knack.spark.frame.SparkFiles;
import io.knack.spark.mine.MinePlan;
import io.knack.spark.mine.MineStage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The stages as a night runs them: import, and curate of what it made. */
final class ImportStageTest {
  private static final Path LOG =
      Path.of(System.getProperty("knack.root", ".."), "data/logs/support.jsonl");
  private static final SparkSession SPARK = SharedSpark.session();

  @TempDir Path dir;
  private List<String> lines = List.of();
  private int runs;

  @BeforeEach
  void log() throws IOException {
    lines = Files.readAllLines(LOG);
  }

  @Test
  void theSameFileTwiceChangesNothingAndAGrownOneAddsWhatIsNew() throws IOException {
    Path file = dir.resolve("log.jsonl");
    Files.write(file, lines.subList(0, 50));
    Files.write(file, List.of("not JSON"), StandardOpenOption.APPEND);

    assertThat(figures(imported("home", file)))
        .isEqualTo("51 total, 50 valid, 1 bad, 0 old, 50 new");
    StageRunner.Ending again = imported("home", file);
    assertThat(again.outcome()).isEqualTo("unchanged");
    assertThat(again.exit()).isEqualTo(ExitCode.OK);
    assertThat(figures(again)).isEqualTo("51 total, 50 valid, 1 bad, 50 old, 0 new");

    Files.write(file, lines.subList(50, 70), StandardOpenOption.APPEND);
    assertThat(figures(imported("home", file)))
        .isEqualTo("71 total, 70 valid, 1 bad, 50 old, 20 new");
  }

  @Test
  void rowsWithoutIdAndTimeAreKnownAgainToo() throws IOException {
    Path file = dir.resolve("faq.csv");
    Files.write(file, List.of("text,kind", "where is it,a", "where is it,a", "how much,b"));
    String[] map = {"format=csv", "map={prompt: text, tag.kind: kind}"};

    StageRunner.Ending first = imported("home", file, map);
    assertThat(figures(first)).isEqualTo("3 total, 3 valid, 0 bad, 0 old, 3 new");
    assertThat(first.figures()).containsEntry("undated", 3L);
    assertThat(figures(imported("home", file, map)))
        .isEqualTo("3 total, 3 valid, 0 bad, 3 old, 0 new");

    StageRunner.Ending nothing = curated("home");
    assertThat(nothing.exit()).isEqualTo(ExitCode.NOTHING);
    assertThat(nothing.reason())
        .contains("none of 3 interactions can be verified", "set 'verifiers'", "--map reference");
  }

  @Test
  void packedFilesAndParquetHoldTheSameRows() throws IOException {
    Path folder = Files.createDirectory(dir.resolve("logs"));
    Path packed = folder.resolve("log.jsonl.zst");
    try (OutputStream out = new ZstdOutputStream(Files.newOutputStream(packed))) {
      out.write(String.join("\n", lines.subList(0, 30)).getBytes(StandardCharsets.UTF_8));
    }
    assertThat(figures(imported("home", packed)))
        .isEqualTo("30 total, 30 valid, 0 bad, 0 old, 30 new");

    SparkFiles.write(
        SPARK.read().json(LOG.toUri().toString()).limit(40).coalesce(1).write(),
        folder.resolve("rows"));
    assertThat(figures(imported("home", folder)))
        .isEqualTo("70 total, 70 valid, 0 bad, 60 old, 10 new");
  }

  /** A workspace and its input may lie anywhere: nothing in a path is a pattern or an escape. */
  @Test
  void everyNameOfADirectoryIsAName() throws IOException {
    String name = "with space é #%41[x]{y,z}*?a:b\\c";
    Path strange = Files.createDirectory(dir.resolve(name));
    Files.write(strange.resolve("log.jsonl"), lines.subList(0, 50));
    SparkFiles.write(
        SPARK.read().json(LOG.toUri().toString()).limit(40).coalesce(1).write(),
        strange.resolve("rows {1}"));
    Path input = Files.move(strange, dir.resolve("in " + name));

    assertThat(figures(imported(name, input)))
        .isEqualTo("90 total, 90 valid, 0 bad, 40 old, 50 new");
    assertThat(figures(imported(name, input)))
        .isEqualTo("90 total, 90 valid, 0 bad, 90 old, 0 new");
    MinePlan plan = Plans.read(MinePlan.class, null, List.of());
    StageRunner.Ending mined = runner(name).run(new MineStage(SPARK), plan, run());
    assertThat(Tables.MEMBERS.readAllFrom(directory(name, mined))).hasSize(50);
    assertThat(dir.toFile().list()).containsExactlyInAnyOrder(name, "in " + name);
  }

  @Test
  void damagedParquetGoesToQuarantineFromTheDamageOn() throws IOException {
    Path folder = Files.createDirectory(dir.resolve("logs"));
    Files.writeString(folder.resolve("cut.parquet"), "PAR1xxxxPAR1");
    SparkFiles.write(
        SPARK.read().json(LOG.toUri().toString()).limit(40).coalesce(1).write(),
        folder.resolve("rows"));
    assertThat(figures(imported("cut", folder)))
        .isEqualTo("41 total, 40 valid, 1 bad, 0 old, 40 new");

    Path rows;
    try (Stream<Path> files = Files.list(folder.resolve("rows"))) {
      rows =
          files
              .filter(file -> file.getFileName().toString().startsWith("part-"))
              .findFirst()
              .orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(rows);
    Arrays.fill(bytes, 100, bytes.length / 2, (byte) 0x55);
    Files.write(rows, bytes);
    StageRunner.Ending flipped = imported("flipped", rows);
    assertThat(figures(flipped)).isEqualTo("1 total, 0 valid, 1 bad, 0 old, 0 new");
    assertThat(flipped.figures()).containsEntry("quarantine_reasons", Map.of(Lines.CUT_OFF, 1L));
  }

  @Test
  void contentDoesNotDependOnFilesOrPartitions() throws IOException {
    Path whole = dir.resolve("log.jsonl");
    Files.write(whole, lines);
    Path pieces = Files.createDirectory(dir.resolve("pieces"));
    for (int i = 0; i < 5; i++) {
      int at = i;
      Files.write(
          pieces.resolve("part-" + (9 - i) + ".jsonl"),
          lines.stream().filter(line -> Math.floorMod(line.hashCode(), 5) == at).toList());
    }
    // Subjects are hashed with the workspace's own salt.
    Salt.of(Files.createDirectories(dir.resolve("one")));
    Files.copy(
        dir.resolve("one/salt"),
        Files.createDirectories(dir.resolve("many")).resolve("salt"),
        StandardCopyOption.COPY_ATTRIBUTES);
    String before = SPARK.conf().get("spark.sql.shuffle.partitions");
    try {
      SPARK.conf().set("spark.sql.shuffle.partitions", "1");
      StageRunner.Ending one = imported("one", whole);
      StageRunner.Ending oneCurated = curated("one");
      SPARK.conf().set("spark.sql.shuffle.partitions", "7");
      StageRunner.Ending many = imported("many", pieces);
      StageRunner.Ending manyCurated = curated("many");

      assertThat(content("many", many)).isEqualTo(content("one", one));
      assertThat(content("many", manyCurated)).isEqualTo(content("one", oneCurated));
    } finally {
      SPARK.conf().set("spark.sql.shuffle.partitions", before);
    }
  }

  @Test
  void everythingAsOneClusterIsOneOfEachTenant() throws IOException {
    Path file = dir.resolve("tenants.jsonl");
    List<String> named = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      named.add("{\"client_id\":\"firm-" + i % 2 + "\"," + lines.get(i).substring(1));
    }
    Files.write(file, named);
    imported("home", file);

    assertThat(curated("home").figures()).containsEntry("clusters_chosen", 2L);
  }

  @Test
  void everythingMinedAsOneClusterIsLearntLikeAnyOther() throws IOException {
    Path file = dir.resolve("log.jsonl");
    Files.write(file, lines.subList(0, 100));
    imported("home", file);
    MinePlan plan =
        Plans.read(
            MinePlan.class,
            null,
            List.of("all_as_one_cluster=true", "assume_distinct_subjects=true"));

    StageRunner.Ending mined = runner("home").run(new MineStage(SPARK), plan, run());
    CuratePlan defaults = Plans.read(CuratePlan.class, null, List.of());
    StageRunner.Ending curated = runner("home").run(new CurateStage(() -> SPARK), defaults, run());

    List<Cluster> clusters = Tables.CLUSTERS.readAllFrom(directory("home", mined));
    assertThat(clusters).hasSize(1);
    assertThat(clusters.get(0).clusterId()).isEqualTo(new ClusterId("all"));
    assertThat(clusters.get(0).size()).isEqualTo(100);
    assertThat(clusters.get(0).exemplars()).isNotEmpty();
    List<Example> examples = Tables.EXAMPLES.readAllFrom(directory("home", curated));
    assertThat(examples.stream().map(Example::split)).contains(Split.values());
    assertThat(examples)
        .allMatch(
            e ->
                (e.split() == Split.ANCHOR) == (e.clusterId() == null)
                    && (e.clusterId() == null || e.clusterId().equals(new ClusterId("all"))));

    Files.write(file, lines.subList(100, 110), StandardOpenOption.APPEND);
    imported("home", file);
    StageRunner.Ending next = runner("home").run(new MineStage(SPARK), plan, run());
    Cluster grown = Tables.CLUSTERS.readAllFrom(directory("home", next)).get(0);
    assertThat(grown.event()).isEqualTo(Cluster.Event.CONTINUED);
    assertThat(grown.size()).isEqualTo(110);
  }

  private StageRunner.Ending imported(String home, Path input, String... overrides) {
    List<String> all = new ArrayList<>(Arrays.asList(overrides));
    all.add("input=[\"" + input.toString().replace("\\", "\\\\") + "\"]");
    return runner(home)
        .run(new ImportStage(() -> SPARK), Plans.read(ImportPlan.class, null, all), run());
  }

  private StageRunner.Ending curated(String home) {
    CuratePlan plan = Plans.read(CuratePlan.class, null, List.of("all_as_one_cluster=true"));
    return runner(home).run(new CurateStage(() -> SPARK), plan, run());
  }

  private StageRunner runner(String home) {
    return new StageRunner(dir.resolve(home), Clock.systemUTC(), Console.silent());
  }

  private RunId run() {
    return new RunId("r" + runs++);
  }

  private String content(String home, StageRunner.Ending ending) {
    ArtifactRef artifact = Objects.requireNonNull(ending.artifact(), ending.outcome());
    return ArtifactStore.open(dir.resolve(home)).resolve(artifact).card().contentDigest();
  }

  private Path directory(String home, StageRunner.Ending ending) {
    ArtifactRef artifact = Objects.requireNonNull(ending.artifact(), ending.outcome());
    return ArtifactStore.open(dir.resolve(home)).resolve(artifact).directory();
  }

  private static String figures(StageRunner.Ending ending) {
    Map<String, Object> figures = ending.figures();
    return "%s total, %s valid, %s bad, %s old, %s new"
        .formatted(
            figures.get("total"),
            figures.get("valid"),
            figures.get("quarantined"),
            figures.get("duplicates"),
            figures.get("added"));
  }
}
