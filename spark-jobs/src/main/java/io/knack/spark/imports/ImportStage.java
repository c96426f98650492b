package io.knack.spark.imports;

import static org.apache.spark.sql.functions.callUDF;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.date_format;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Outcome;
import io.knack.contracts.cli.Console;
import io.knack.contracts.erasure.ErasedSubjects;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Salt;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.RowsDigest;
import io.knack.spark.frame.SparkTables;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapGroupsFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;

/**
 * Logs in, scrubbed interactions out, as a delta to what was imported before.
 *
 * <p>Every record of the input ends in exactly one place: it is an interaction, it is in
 * quarantine, or it is understood and no interaction. Nothing unscrubbed reaches a file of the
 * workspace.
 */
public final class ImportStage implements Stage<ImportPlan> {
  private static final long SLICE_BYTES = 32L << 20;
  private static final long SLICED_FROM_BYTES = 64L << 20;

  private final Supplier<SparkSession> session;

  public ImportStage(Supplier<SparkSession> session) {
    this.session = session;
  }

  @Override
  public String name() {
    return "import";
  }

  @Override
  public Class<ImportPlan> planType() {
    return ImportPlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.INTERACTIONS;
  }

  @Override
  public List<StageInput> inputs(ImportPlan plan) {
    return List.of(new StageInput(ArtifactKind.INTERACTIONS, StageInput.Need.CHAIN_IF_ANY));
  }

  @Override
  public StageResult run(ImportPlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    List<Artifact> chain = inputs.chain(ArtifactKind.INTERACTIONS);
    if (plan.input().isEmpty() && !chain.isEmpty()) {
      return StageResult.Unchanged.of(
          "no input is named: what was imported before stands",
          Map.of("total", 0, "valid", 0, "quarantined", 0, "duplicates", 0, "added", 0));
    }
    List<InputFile> files = InputFiles.of(plan);
    checkColumns(plan, files);
    SparkSession spark = session.get();
    String salt = Salt.of(context.home()).secret();

    Dataset<Row> read = units(spark, plan, files, salt).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Counts first = Counts.of(read);
      Dataset<Row> units = first.waits() ? join(read, plan, salt) : read;
      Counts counts = first.waits() ? Counts.of(units) : first;
      if (counts.total() == 0) {
        return new StageResult.Nothing(
            "no records in "
                + String.join(", ", plan.input())
                + " ("
                + counts.ignored()
                + " ignored)");
      }
      RowsDigest.Summary added =
          writeInteractions(
              units, counts, chain, plan, context.output(), ErasedSubjects.read(context.home()));
      RowsDigest.Summary quarantined = writeQuarantine(units, counts, chain, context.output());
      return result(files, counts, first, added, quarantined, units, context.console());
    } finally {
      read.unpersist();
    }
  }

  // ---- reading

  private static Dataset<Row> units(
      SparkSession spark, ImportPlan plan, List<InputFile> files, String salt) throws IOException {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    List<Slice> slices = new ArrayList<>();
    List<InputFile> parquet = new ArrayList<>();
    for (InputFile file : files) {
      if (file.layout() == InputFile.Layout.PARQUET) {
        parquet.add(file);
      } else {
        slices.addAll(slices(context, file, plan.encoding()));
      }
    }
    Dataset<Row> units = spark.createDataFrame(List.of(), Units.SCHEMA);
    if (!slices.isEmpty()) {
      int partitions = Math.min(slices.size(), 16 * context.defaultParallelism());
      JavaRDD<Row> rows =
          context
              .parallelize(slices, partitions)
              .mapPartitions(part -> new SlicedUnits(plan, salt, part));
      units = spark.createDataFrame(rows, Units.SCHEMA);
    }
    for (InputFile file : parquet) {
      Dataset<Row> rows =
          spark
              .read()
              .parquet(file.file().toUri().toString())
              .selectExpr("to_json(struct(*)) AS json", "_metadata.row_index AS row")
              .mapPartitions(
                  (org.apache.spark.api.java.function.MapPartitionsFunction<Row, Row>)
                      part -> parquetUnits(plan, salt, file, part),
                  Encoders.row(Units.SCHEMA));
      units = units.union(rows);
    }
    return units;
  }

  /** A large file of lines in pieces, each knowing the number of its first line. */
  private static List<Slice> slices(JavaSparkContext context, InputFile file, String encoding)
      throws IOException {
    long size = Files.size(file.file());
    if (size < SLICED_FROM_BYTES || !InputFiles.splittable(file, encoding)) {
      return List.of(Slice.whole(file));
    }
    List<Slice> slices = new ArrayList<>();
    for (long start = 0; start < size; start += SLICE_BYTES) {
      slices.add(new Slice(file, start, Math.min(size, start + SLICE_BYTES), 0));
    }
    List<Long> newlines = context.parallelize(slices, slices.size()).map(Slice::newlines).collect();
    long before = 0;
    for (int i = 0; i < slices.size(); i++) {
      slices.set(i, slices.get(i).after(before));
      before += newlines.get(i);
    }
    return slices;
  }

  /** Units of slices, read as they are asked for. */
  private static final class SlicedUnits implements Iterator<Row> {
    private final SliceReader reader;
    private final Units units;
    private final Iterator<Slice> slices;
    private final Deque<Row> ready = new ArrayDeque<>();
    private SliceReader.Steps steps = new NoSteps();
    private Slice slice =
        new Slice(
            new InputFile(0, "", "", InputFile.Layout.LINES, InputFile.Compression.NONE), 0, 0, 0);

    SlicedUnits(ImportPlan plan, String salt, Iterator<Slice> slices) {
      this.reader = new SliceReader(plan);
      this.units = new Units(plan, new Salt(salt));
      this.slices = slices;
    }

    @Override
    public boolean hasNext() {
      try {
        while (ready.isEmpty()) {
          if (!steps.step(record -> units.of(slice.file(), record, ready::add))
              && ready.isEmpty()) {
            if (!slices.hasNext()) {
              return false;
            }
            slice = slices.next();
            steps = reader.open(slice);
          }
        }
        return true;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ready.removeFirst();
    }

    private static final class NoSteps implements SliceReader.Steps, Closeable {
      @Override
      public boolean step(java.util.function.Consumer<RawRecord> sink) {
        return false;
      }

      @Override
      public void close() {}
    }
  }

  private static Iterator<Row> parquetUnits(
      ImportPlan plan, String salt, InputFile file, Iterator<Row> rows) {
    Units units = new Units(plan, new Salt(salt));
    Deque<Row> ready = new ArrayDeque<>();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        while (ready.isEmpty() && rows.hasNext()) {
          Row row = rows.next();
          String json = row.getString(0);
          long number = row.getLong(1) + 1;
          String digest = Digests.sha256(json);
          RawRecord record;
          try {
            record = RawRecord.of(number, 0, SliceReader.JSON.readTree(json), digest);
          } catch (JsonProcessingException e) {
            record = RawRecord.broken(number, 0, "Parquet row that is no JSON object", digest);
          }
          units.of(file, record, ready::add);
        }
        return !ready.isEmpty();
      }

      @Override
      public Row next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return ready.removeFirst();
      }
    };
  }

  /** Brings together the records that speak of each other. */
  private static Dataset<Row> join(Dataset<Row> units, ImportPlan plan, String salt) {
    Column waiting = col("join_key").isNotNull();
    Dataset<Row> joined =
        units
            .filter(waiting)
            .groupByKey((MapFunction<Row, String>) row -> row.getString(6), Encoders.STRING())
            .flatMapGroups(
                (FlatMapGroupsFunction<String, Row, Row>)
                    (key, group) -> {
                      List<Row> rows = new ArrayList<>();
                      group.forEachRemaining(rows::add);
                      return new Units(plan, new Salt(salt)).joined(key, rows).iterator();
                    },
                Encoders.row(Units.SCHEMA));
    return units.filter(col("join_key").isNull()).union(joined);
  }

  // ---- counting

  /** How many units of each kind there are; lines per file, for the times of the undated. */
  private record Counts(
      Map<String, Long> kinds,
      Map<String, Long> outcomes,
      long undated,
      Set<String> days,
      Map<Integer, Long> lastLines) {
    static Counts of(Dataset<Row> units) {
      Map<String, Long> kinds = new TreeMap<>();
      Map<String, Long> outcomes = new TreeMap<>();
      Set<String> days = new TreeSet<>();
      Map<Integer, Long> lastLines = new TreeMap<>();
      long undated = 0;
      Column day = date_format(col("interaction.occurred_at"), "yyyy-MM-dd");
      for (Row row :
          units
              .groupBy(
                  col("file"),
                  col("kind"),
                  col("undated"),
                  col("interaction.outcome").as("outcome"),
                  day.as("day"))
              .agg(count(lit(1)).as("n"), max("line").as("last"))
              .collectAsList()) {
        long n = row.getLong(5);
        kinds.merge(row.getString(1), n, Long::sum);
        lastLines.merge(row.getInt(0), row.getLong(6), Math::max);
        if (row.getString(1).equals(Units.INTERACTION)) {
          outcomes.merge(row.getString(3), n, Long::sum);
          if (row.getBoolean(2)) {
            undated += n;
          } else {
            days.add(row.getString(4));
          }
        }
      }
      return new Counts(kinds, outcomes, undated, days, lastLines);
    }

    long of(String kind) {
      return kinds.getOrDefault(kind, 0L);
    }

    boolean waits() {
      return of(Units.KEYED) + of(Units.SIDE) > 0;
    }

    long total() {
      return of(Units.INTERACTION) + of(Units.QUARANTINE);
    }

    long ignored() {
      return of(Units.IGNORED);
    }

    long all() {
      return kinds.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  // ---- writing

  private static RowsDigest.Summary writeInteractions(
      Dataset<Row> units,
      Counts counts,
      List<Artifact> chain,
      ImportPlan plan,
      Path output,
      ErasedSubjects erased) {
    if (counts.of(Units.INTERACTION) == 0) {
      return new RowsDigest.Summary(RowsDigest.EMPTY, 0);
    }
    Column latest =
        row_number()
            .over(
                Window.partitionBy(col("interaction.id"))
                    .orderBy(
                        col("version").desc(),
                        col("file").asc(),
                        col("line").asc(),
                        col("part").asc()));
    Dataset<Row> rows =
        units
            .filter(col("kind").equalTo(Units.INTERACTION))
            .withColumn("nth", latest)
            .filter(col("nth").equalTo(1))
            .withColumn("occurred", occurred(units.sparkSession(), counts, chain, plan))
            .select("interaction.*", "occurred")
            .withColumn("occurred_at", col("occurred"));
    if (!erased.hashes().isEmpty()) {
      // Who was forgotten does not come back with the same log.
      rows =
          rows.filter(
              col("subject").isNull().or(not(col("subject").isin(erased.hashes().toArray()))));
    }
    if (!chain.isEmpty()) {
      SparkSession spark = units.sparkSession();
      Dataset<Row> known =
          counts.undated() > 0
              ? SparkTables.read(spark, Tables.INTERACTIONS, chain)
              : SparkTables.readDays(spark, Tables.INTERACTIONS, chain, counts.days());
      rows =
          rows.join(
              known.select("id").withColumnRenamed("id", "known"),
              col("id").equalTo(col("known")),
              "left_anti");
    }
    SparkTables.writeByDay(rows, Tables.INTERACTIONS, col("occurred_at"), output);
    return summary(units.sparkSession(), Tables.INTERACTIONS, output);
  }

  /** The stated time; without one, a second per line behind everything undated before. */
  private static Column occurred(
      SparkSession spark, Counts counts, List<Artifact> chain, ImportPlan plan) {
    Column stated = col("interaction.occurred_at");
    if (counts.undated() == 0) {
      return stated;
    }
    long seconds = Instant.parse(plan.undatedFrom()).getEpochSecond();
    for (Artifact artifact : chain) {
      if (artifact.card().figures().get("undated") instanceof Number earlier) {
        seconds += earlier.longValue();
      }
    }
    Map<Integer, Long> starts = new HashMap<>();
    for (Map.Entry<Integer, Long> file : counts.lastLines().entrySet()) {
      starts.put(file.getKey(), seconds);
      seconds += file.getValue();
    }
    UDF2<Integer, Long, Instant> time =
        (file, line) -> Instant.ofEpochSecond(starts.getOrDefault(file, 0L) + line - 1);
    spark.udf().register("knack_undated", udf(time, DataTypes.TimestampType));
    return when(col("undated"), callUDF("knack_undated", col("file"), col("line")))
        .otherwise(stated);
  }

  private static RowsDigest.Summary writeQuarantine(
      Dataset<Row> units, Counts counts, List<Artifact> chain, Path output) {
    if (counts.of(Units.QUARANTINE) == 0) {
      return new RowsDigest.Summary(RowsDigest.EMPTY, 0);
    }
    SparkSession spark = units.sparkSession();
    Dataset<Row> rows = units.filter(col("kind").equalTo(Units.QUARANTINE)).select("quarantined.*");
    if (!chain.isEmpty()) {
      rows = rows.except(SparkTables.read(spark, Tables.QUARANTINE, chain));
    }
    SparkTables.write(rows.coalesce(1), Tables.QUARANTINE, output);
    return summary(spark, Tables.QUARANTINE, output);
  }

  private static <T extends Record> RowsDigest.Summary summary(
      SparkSession spark, Table<T> table, Path output) {
    Path place = output.resolve(table.name());
    return Files.isDirectory(place)
        ? RowsDigest.summary(SparkTables.readPaths(spark, table, List.of(place)), table)
        : new RowsDigest.Summary(RowsDigest.EMPTY, 0);
  }

  // ---- the result

  private static StageResult result(
      List<InputFile> files,
      Counts counts,
      Counts read,
      RowsDigest.Summary added,
      RowsDigest.Summary newlyQuarantined,
      Dataset<Row> units,
      Console console) {
    long valid = counts.of(Units.INTERACTION);
    long quarantined = counts.of(Units.QUARANTINE);
    if (read.all() != valid + quarantined + counts.ignored()) {
      throw new IllegalStateException(
          "records were lost: "
              + read.kinds()
              + " were read, "
              + counts.kinds()
              + " accounted for");
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("files", files.size());
    figures.put("total", valid + quarantined);
    figures.put("valid", valid);
    figures.put("quarantined", quarantined);
    figures.put("duplicates", valid - added.rows());
    figures.put("added", added.rows());
    figures.put("ignored", counts.ignored());
    figures.put("undated", counts.undated());
    for (Outcome outcome : Outcome.values()) {
      String name = outcome.name().toLowerCase(Locale.ROOT);
      figures.put("outcome_" + name, counts.outcomes().getOrDefault(name, 0L));
    }
    if (quarantined > 0) {
      Map<String, Long> reasons = reasons(units);
      figures.put("quarantine_reasons", reasons);
      console.say(
          "import: "
              + quarantined
              + " of "
              + (valid + quarantined)
              + " in quarantine: "
              + reasons
              + "; see './knack show quarantine'");
    }
    if (counts.undated() > 0) {
      console.say(
          "import: " + counts.undated() + " have no time; their order in the input stands for it");
    }
    if (added.rows() == 0 && newlyQuarantined.rows() == 0) {
      return StageResult.Unchanged.of("everything was imported before", figures);
    }
    return StageResult.Produced.of(
        RowsDigest.join(List.of(added.digest(), newlyQuarantined.digest())), 0, figures);
  }

  private static Map<String, Long> reasons(Dataset<Row> units) {
    Map<String, Long> reasons = new LinkedHashMap<>();
    for (Row row :
        units
            .filter(col("kind").equalTo(Units.QUARANTINE))
            .groupBy("reason")
            .agg(count(lit(1)).as("n"))
            .orderBy(col("n").desc(), col("reason"))
            .limit(5)
            .collectAsList()) {
      reasons.put(row.getString(0), row.getLong(1));
    }
    return reasons;
  }

  /** CSV needs a map, and the map columns that are there. */
  private static void checkColumns(ImportPlan plan, List<InputFile> files) throws IOException {
    List<String> problems = new ArrayList<>();
    for (InputFile file : files) {
      if (file.layout() != InputFile.Layout.CSV) {
        continue;
      }
      List<String> columns = new SliceReader(plan).header(file);
      if (plan.map().isEmpty()) {
        problems.add(
            file.source()
                + " is CSV: name the column of the prompt, as --map prompt=COLUMN; its columns are "
                + columns);
        continue;
      }
      new TreeMap<>(plan.map())
          .forEach(
              (field, column) -> {
                if (!columns.contains(column)
                    && !columns.contains(column.replaceFirst("[./].*", ""))) {
                  problems.add(
                      file.source()
                          + ": the map's "
                          + field
                          + "="
                          + column
                          + " is no column; its columns are "
                          + columns);
                }
              });
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
