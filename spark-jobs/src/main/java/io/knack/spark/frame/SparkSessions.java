package io.knack.spark.frame;

import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * The one place where a session is built; jobs are given it.
 *
 * <p>Settings come from system properties named {@code spark.*}, as {@code spark-submit} passes
 * them; what is missing gets the defaults below: all cores of this machine, no web page, loopback.
 */
public final class SparkSessions {
  private SparkSessions() {}

  /**
   * A session for one process; close it.
   *
   * @throws TemporaryException when Spark has no place for what does not fit into memory
   */
  public static SparkSession open(String name) {
    SparkConf conf = configuration(name);
    if (conf.get("spark.master").startsWith("local")) {
      String places = System.getenv("SPARK_LOCAL_DIRS");
      checkScratch(
          places != null
              ? places
              : conf.get("spark.local.dir", System.getProperty("java.io.tmpdir")));
    }
    return SparkSession.builder().config(conf).getOrCreate();
  }

  /** Spark itself would end the process, at a moment when nothing can be said any more. */
  static void checkScratch(String places) {
    List<String> refused = new ArrayList<>();
    for (String place : places.split(",", -1)) {
      try {
        if (Files.isWritable(Files.createDirectories(Path.of(place.strip())))) {
          return;
        }
        refused.add("no permission to write in " + place);
      } catch (FileAlreadyExistsException e) {
        refused.add(place + " is no directory");
      } catch (IOException e) {
        refused.add("cannot make " + place);
      }
    }
    throw new TemporaryException(
        "Spark has no place for what does not fit into memory: "
            + String.join(", ", refused)
            + "; name a directory you may write: KNACK_JAVA_OPTS=-Dspark.local.dir=DIR");
  }

  static SparkConf configuration(String name) {
    SparkConf conf = new SparkConf(true);
    conf.setIfMissing("spark.app.name", "knack " + name);
    conf.setIfMissing("spark.master", "local[*]");
    conf.setIfMissing("spark.ui.enabled", "false");
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    if (conf.get("spark.master").startsWith("local")) {
      conf.setIfMissing("spark.driver.host", "127.0.0.1");
      conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
      int cores = Runtime.getRuntime().availableProcessors();
      conf.setIfMissing("spark.sql.shuffle.partitions", String.valueOf(Math.max(4, 2 * cores)));
      conf.setIfMissing("spark.default.parallelism", String.valueOf(Math.max(2, cores)));
    }
    // Rows carry java.time values, days and hours are those of UTC on every machine.
    conf.set("spark.sql.session.timeZone", "UTC");
    conf.set("spark.sql.datetime.java8API.enabled", "true");
    // Artifacts: the file formats of contracts, and no files beside the tables.
    conf.set("spark.sql.parquet.compression.codec", "zstd");
    conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS");
    conf.set("spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs", "false");
    conf.set("spark.hadoop.parquet.summary.metadata.level", "NONE");
    conf.set("spark.hadoop.fs.file.impl", "org.apache.hadoop.fs.RawLocalFileSystem");
    conf.setIfMissing("spark.sql.debug.maxToStringFields", "200");
    return conf;
  }
}
