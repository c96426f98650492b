package io.knack.spark.frame;

import io.knack.contracts.store.Artifact;
import io.knack.contracts.table.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Tables of artifacts as data sets. */
public final class SparkTables {
  private static final String DAY = "day=";

  private SparkTables() {}

  /** A table over a chain of artifacts, in the codec's column order; empty for no artifacts. */
  public static <T extends Record> Dataset<Row> read(
      SparkSession spark, Table<T> table, List<Artifact> chain) {
    return readPaths(spark, table, places(table, chain));
  }

  /** {@link #read}, of a table that is laid out by day, for the given days (as 2026-01-31) only. */
  public static <T extends Record> Dataset<Row> readDays(
      SparkSession spark, Table<T> table, List<Artifact> chain, Set<String> days) {
    List<Path> chosen = new ArrayList<>();
    for (Path place : places(table, chain)) {
      List<Path> partitions = partitions(place);
      if (partitions.isEmpty()) {
        chosen.add(place);
      }
      for (Path partition : partitions) {
        if (days.contains(name(partition).substring(DAY.length()))) {
          chosen.add(partition);
        }
      }
    }
    return readPaths(spark, table, chosen);
  }

  /** Files or directories of Parquet, in the codec's column order. */
  public static <T extends Record> Dataset<Row> readPaths(
      SparkSession spark, Table<T> table, List<Path> paths) {
    RowCodec<T> codec = RowCodec.of(table);
    if (paths.isEmpty()) {
      return spark.createDataFrame(List.of(), codec.schema());
    }
    return SparkFiles.read(
        spark.read().schema(codec.schema()).option("recursiveFileLookup", "true"), paths);
  }

  /** Writes the directory of a table into an artifact; one job. */
  public static <T extends Record> void write(Dataset<Row> rows, Table<T> table, Path artifact) {
    SparkFiles.write(
        RowCodec.of(table).align(rows).write().mode(SaveMode.ErrorIfExists),
        artifact.resolve(table.name()));
  }

  /** {@link #write} with one directory per day of an instant column. */
  public static <T extends Record> void writeByDay(
      Dataset<Row> rows, Table<T> table, Column instant, Path artifact) {
    SparkFiles.write(
        RowCodec.of(table)
            .align(rows)
            .withColumn("day", functions.date_format(instant, "yyyy-MM-dd"))
            .write()
            .mode(SaveMode.ErrorIfExists)
            .partitionBy("day"),
        artifact.resolve(table.name()));
  }

  private static <T extends Record> List<Path> places(Table<T> table, List<Artifact> chain) {
    List<Path> places = new ArrayList<>();
    for (Artifact artifact : chain) {
      Path file = artifact.file(table.name() + ".parquet");
      Path directory = artifact.file(table.name());
      if (Files.exists(file)) {
        places.add(file);
      } else if (Files.isDirectory(directory)) {
        places.add(directory);
      }
    }
    return places;
  }

  private static List<Path> partitions(Path place) {
    if (!Files.isDirectory(place)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(place)) {
      return entries.filter(entry -> name(entry).startsWith(DAY)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }
}
