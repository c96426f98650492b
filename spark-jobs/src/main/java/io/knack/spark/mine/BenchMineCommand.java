package io.knack.spark.mine;

import io.knack.contracts.KnackVersion;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.Scratch;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.frame.SparkSessions;
import io.knack.spark.frame.SparkTables;
import io.knack.spark.mine.Agreement.Count;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./knack bench mine}: speed and quality on a synthetic log, in a workspace of its own. */
@Command(
    name = "mine",
    mixinStandardHelpOptions = true,
    description = "Speed and quality of mining on a synthetic log with a known truth.",
    footer = {"", "Example: ./knack bench mine --rows 100000,1000000 --json"})
public final class BenchMineCommand implements Callable<Integer> {
  private static final long SHORT = 1000;

  @Option(
      names = "--rows",
      paramLabel = "N",
      split = ",",
      description = {
        "interactions (default: ${DEFAULT-VALUE});",
        "several, as 100000,1000000, also give the growth exponent between them"
      },
      defaultValue = "10000")
  private List<Long> sizes = List.of(10_000L);

  @Option(
      names = "--added",
      paramLabel = "N",
      description = "interactions of the night after (default: a hundredth of the rows)")
  private long added;

  @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "of the generator")
  private long seed = 1;

  @Option(names = "--json", description = "one JSON document on standard output")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    if (sizes.stream().anyMatch(rows -> rows < 1)) {
      throw new PlanException("--rows: expected numbers of at least 1, found " + sizes);
    }
    try (SparkSession spark = SparkSessions.open("bench mine")) {
      List<Map<String, Object>> measured = new ArrayList<>();
      List<Double> seconds = new ArrayList<>();
      double fixed = sizes.size() > 1 ? fixedSeconds(spark) : 0;
      for (long rows : sizes) {
        Map<String, Object> figures = inHome(home -> measure(spark, home, rows));
        measured.add(figures);
        seconds.add(((Number) figures.getOrDefault("seconds", 0.0)).doubleValue() - fixed);
      }
      print(sizes.size() == 1 ? measured.get(0) : growth(measured, seconds, fixed), System.out);
    }
    return 0;
  }

  /** What mining costs whatever the log: that of a short one, the second time. */
  private double fixedSeconds(SparkSession spark) throws IOException {
    double last = 0;
    for (int i = 0; i < 2; i++) {
      last =
          inHome(
              home -> {
                commit(spark, home, new SyntheticLog(SHORT, seed), 0, SHORT);
                return mine(spark, home, Plans.read(MinePlan.class, null, List.of()));
              });
    }
    return last;
  }

  private Map<String, Object> growth(
      List<Map<String, Object>> measured, List<Double> seconds, double fixed) {
    List<Double> exponents = new ArrayList<>();
    for (int i = 1; i < sizes.size(); i++) {
      double slower = Math.max(1e-3, seconds.get(i)) / Math.max(1e-3, seconds.get(i - 1));
      exponents.add(rounded(Math.log(slower) / Math.log(sizes.get(i) / (double) sizes.get(i - 1))));
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("sizes", measured);
    figures.put("fixed_seconds", rounded(fixed));
    figures.put("fixed_seconds_of", "a log of " + SHORT + " rows, mined the second time");
    figures.put("growth_exponents", exponents);
    return figures;
  }

  private interface Work<T> {
    T in(Path home) throws IOException;
  }

  private static <T> T inHome(Work<T> work) throws IOException {
    try (Scratch home = Scratch.create("knack-bench-mine")) {
      return work.in(home.directory());
    }
  }

  Map<String, Object> measure(SparkSession spark, Path home, long rows) throws IOException {
    long more = added > 0 ? added : Math.max(1, rows / 100);
    SyntheticLog log = new SyntheticLog(rows, seed);
    commit(spark, home, log, 0, rows);
    MinePlan plan = Plans.read(MinePlan.class, null, List.of());
    double seconds = mine(spark, home, plan);
    ArtifactStore store = ArtifactStore.open(home);
    Artifact first = store.latest(ArtifactKind.CLUSTERS).orElseThrow();
    List<Count> counts = counts(spark, first, log, 0);
    commit(spark, home, log, rows, rows + more);
    double incremental = mine(spark, home, plan);
    Artifact second = store.latest(ArtifactKind.CLUSTERS).orElseThrow();
    List<Count> later = counts(spark, second, log, rows);

    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("rows", rows);
    figures.put("seconds", rounded(seconds));
    figures.put("clusters", first.card().figures().getOrDefault("clusters", 0));
    figures.put("families", first.card().figures().getOrDefault("families", 0));
    figures.put("true_families", log.families());
    figures.put("coverage", first.card().figures().getOrDefault("coverage", 0));
    figures.put("adjusted_rand", rounded(Agreement.adjustedRand(counts)));
    figures.put("adjusted_rand_of", "families, against the generator's; its noise left out");
    figures.put("mean_f1_outside_top_100", rounded(Agreement.meanF1(counts, 100)));
    figures.put("max_rss_bytes", maxRssBytes());
    figures.put("added", more);
    figures.put("incremental_seconds", rounded(incremental));
    figures.put("incremental_adjusted_rand", rounded(Agreement.adjustedRand(later)));
    figures.put("noise_rate", SyntheticLog.NOISE);
    figures.put("paraphrase_rate", SyntheticLog.PARAPHRASE);
    return figures;
  }

  private static double mine(SparkSession spark, Path home, MinePlan plan) {
    Clock clock = Clock.systemUTC();
    long start = System.nanoTime();
    new StageRunner(home, clock, Console.silent())
        .run(new MineStage(spark), plan, StageRunner.newRunId(clock));
    return (System.nanoTime() - start) / 1e9;
  }

  /** A log as import would have left it. */
  static void commit(SparkSession spark, Path home, SyntheticLog log, long from, long to) {
    ArtifactStore store = ArtifactStore.open(home);
    RunId run = new RunId("bench-" + from);
    Path staged = store.stage(ArtifactKind.INTERACTIONS, run);
    RowCodec<io.knack.contracts.Interaction> codec = RowCodec.of(Tables.INTERACTIONS);
    Dataset<Row> interactions =
        spark
            .range(from, to)
            .map(
                (MapFunction<Long, Row>) row -> codec.toRow(log.interaction(row)), codec.encoder());
    SparkTables.write(interactions, Tables.INTERACTIONS, staged);
    String digest = Digests.sha256("synthetic " + from + " " + to);
    store.commit(
        staged,
        new ArtifactCard(
            ArtifactKind.INTERACTIONS,
            1,
            "bench",
            KnackVersion.CURRENT,
            run,
            Clock.systemUTC().instant(),
            digest,
            "{}",
            List.of(),
            List.of(),
            digest,
            0,
            List.of(),
            new TreeMap<>(),
            Map.of(),
            null));
  }

  /** Rows from a number on, noise left out, by true and found family. */
  private static List<Count> counts(
      SparkSession spark, Artifact clusters, SyntheticLog log, long from) {
    List<Count> counts = new ArrayList<>();
    SparkTables.read(spark, Tables.MEMBERS, List.of(clusters))
        .selectExpr("cast(substring(interaction_id, 2) as long) as row", "family_id")
        .filter("row >= " + from)
        .map(
            (MapFunction<Row, String>) row -> log.truth(row.getLong(0)) + "\t" + row.getString(1),
            Encoders.STRING())
        .groupBy("value")
        .count()
        .collectAsList()
        .forEach(
            row -> {
              String[] pair = row.getString(0).split("\t", 2);
              int truth = Integer.parseInt(pair[0]);
              if (truth >= 0) {
                counts.add(new Count(truth, pair[1], row.getLong(1)));
              }
            });
    return counts;
  }

  private void print(Map<String, Object> figures, PrintStream out) throws IOException {
    if (json) {
      out.println(Jsons.mapper().writeValueAsString(figures));
      return;
    }
    figures.forEach((name, value) -> out.println(name + ": " + value));
  }

  /** The most memory this process ever held, where the system says. */
  private static long maxRssBytes() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return -1;
    }
    try (Stream<String> lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(-1);
    }
  }

  private static double rounded(double value) {
    return Math.round(value * 1e3) / 1e3;
  }
}
