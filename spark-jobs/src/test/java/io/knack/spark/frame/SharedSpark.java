package io.knack.spark.frame;

import org.apache.spark.sql.SparkSession;

/** One session for all tests of a process: starting one takes seconds. */
public final class SharedSpark {
  private static final SparkSession SESSION = start();

  private SharedSpark() {}

  public static SparkSession session() {
    return SESSION;
  }

  private static SparkSession start() {
    System.setProperty("spark.master", "local[2]");
    System.setProperty("spark.sql.shuffle.partitions", "3");
    return SparkSessions.open("tests");
  }
}
