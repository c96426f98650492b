package io.knack.spark.frame;

import java.util.function.Supplier;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/**
 * A session that starts when it is first asked for: a stage whose work is already committed never
 * pays for one. Not safe for many threads.
 */
public final class Sessions implements Supplier<SparkSession>, AutoCloseable {
  private final String name;
  private @Nullable SparkSession session;

  public Sessions(String name) {
    this.name = name;
  }

  @Override
  public SparkSession get() {
    SparkSession open = session;
    if (open == null) {
      open = SparkSessions.open(name);
      session = open;
    }
    return open;
  }

  @Override
  public void close() {
    if (session != null) {
      session.stop();
    }
  }
}
