package io.knack.spark.frame;

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

  /** A session for one process; close it. */
  public static SparkSession open(String name) {
    return SparkSession.builder().config(configuration(name)).getOrCreate();
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
