package io.knack.spark.frame;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Parquet in places whose names may hold anything: spaces, letters of any script, and what is a
 * pattern or an escape elsewhere. Every path that Spark is given goes through here.
 */
public final class SparkFiles {
  /** Spark's own switch: without it, a path that holds one of {@code {}[]*?\} is a pattern. */
  private static final String PATTERNS = "__globPaths__";

  private SparkFiles() {}

  /** Reads files or directories. */
  public static Dataset<Row> read(DataFrameReader reader, List<Path> paths) {
    return reader
        .option(PATTERNS, "false")
        .parquet(paths.stream().map(SparkFiles::name).toArray(String[]::new));
  }

  /** {@link #read(DataFrameReader, List)} of these. */
  public static Dataset<Row> read(DataFrameReader reader, Path... paths) {
    return read(reader, Arrays.asList(paths));
  }

  /** Writes a directory. */
  public static void write(DataFrameWriter<Row> writer, Path directory) {
    writer.parquet(name(directory));
  }

  /** Hadoop reads a path from a string as it stands: percent escapes would be part of the name. */
  private static String name(Path path) {
    return new org.apache.hadoop.fs.Path(path.toUri()).toString();
  }
}
