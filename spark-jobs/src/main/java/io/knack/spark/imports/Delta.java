package io.knack.spark.imports;

import static org.apache.spark.sql.functions.callUDF;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import io.knack.contracts.erasure.ErasedSubjects;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.RowsDigest;
import io.knack.spark.frame.SparkTables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;

/** What units add to what was imported before, written. */
final class Delta {
  private Delta() {}

  static RowsDigest.Summary interactions(
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

  static RowsDigest.Summary quarantine(
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
}
