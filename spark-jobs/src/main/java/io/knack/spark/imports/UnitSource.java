package io.knack.spark.imports;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Salt;
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
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapGroupsFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

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
      Dataset<Row> rows =
          SparkFiles.read(spark.read(), file.file())
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
