package io.knack.tracking;

import java.nio.file.Path;
import java.util.Map;

/** A run under way. Calls return at once and never throw because of where they are recorded. */
public interface TrackedRun extends AutoCloseable {
  /** The tag that carries {@link #key()} on the server. */
  String KEY_TAG = "knack.run";

  /** Unique for all time; known at once, unlike the server's run id. */
  String key();

  /** Parameters keep their first value. */
  void params(Map<String, ?> params);

  default void param(String name, Object value) {
    params(Map.of(name, value));
  }

  /**
   * Values of one step that belong together. Values that are not finite are recorded as they are.
   */
  void metrics(Map<String, Double> values, long step);

  default void metric(String name, double value, long step) {
    metrics(Map.of(name, value), step);
  }

  void tag(String name, String value);

  /**
   * A file, kept as it is now: the caller may move or delete its own.
   *
   * @param directory inside the run's artifacts; empty for their root
   */
  void artifact(Path file, String directory);

  /** Further calls are ignored. */
  void end(RunStatus status);

  /** Ends the run as failed unless {@link #end} was called. */
  @Override
  void close();
}
