package io.knack.spark.imports;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Salt;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.SparkFiles;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskKilledException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapGroupsFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/** Files as the {@link Units} that their records are, read in Spark's tasks. */
final class UnitSource {
  private static final long SLICE_BYTES = 32L << 20;
  private static final long SLICED_FROM_BYTES = 64L << 20;

  private UnitSource() {}

  /** The units of all files, in no order; lazily. */
  static Dataset<Row> units(SparkSession spark, ImportPlan plan, List<InputFile> files, String salt)
      throws IOException {
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
      units = units.union(parquetUnits(spark, plan, salt, file));
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

  private static Dataset<Row> parquetUnits(
      SparkSession spark, ImportPlan plan, String salt, InputFile file) {
    if (!Tables.isWhole(file.file())) {
      List<Row> damage = new ArrayList<>();
      new Units(plan, new Salt(salt)).of(file, cutOff(1), damage::add);
      return spark.createDataFrame(damage, Units.SCHEMA);
    }
    return SparkFiles.read(spark.read(), file.file())
        .selectExpr("to_json(struct(*)) AS json", "_metadata.row_index AS row")
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>) part -> new ParquetUnits(plan, salt, file, part),
            Encoders.row(Units.SCHEMA));
  }

  private static RawRecord cutOff(long number) {
    return RawRecord.broken(number, 0, Lines.CUT_OFF, Digests.sha256(new byte[0]));
  }

  /** Units of Parquet rows; damage ends them with a record that says so. */
  private static final class ParquetUnits implements Iterator<Row> {
    private final Units units;
    private final InputFile file;
    private final Iterator<Row> rows;
    private final Deque<Row> ready = new ArrayDeque<>();
    private long number;
    private boolean damaged;

    ParquetUnits(ImportPlan plan, String salt, InputFile file, Iterator<Row> rows) {
      this.units = new Units(plan, new Salt(salt));
      this.file = file;
      this.rows = rows;
    }

    @Override
    public boolean hasNext() {
      while (ready.isEmpty()) {
        RawRecord record = record();
        if (record == null) {
          return false;
        }
        units.of(file, record, ready::add);
      }
      return true;
    }

    private @Nullable RawRecord record() {
      Row row;
      try {
        if (damaged || !rows.hasNext()) {
          return null;
        }
        row = rows.next();
      } catch (TaskKilledException e) {
        throw e;
      } catch (Exception e) { // Spark declares none of what it throws of a file it cannot read
        damaged = true;
        return cutOff(number + 1);
      }
      number = row.getLong(1) + 1;
      String json = row.getString(0);
      String digest = Digests.sha256(json);
      try {
        return RawRecord.of(number, 0, SliceReader.JSON.readTree(json), digest);
      } catch (JsonProcessingException e) {
        return RawRecord.broken(number, 0, "Parquet row that is no JSON object", digest);
      }
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ready.removeFirst();
    }
  }

  /** Brings together the records that speak of each other. */
  static Dataset<Row> join(Dataset<Row> units, ImportPlan plan, String salt) {
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
}
