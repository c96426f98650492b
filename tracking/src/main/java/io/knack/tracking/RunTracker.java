package io.knack.tracking;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where runs are recorded. Recording never throws and never waits for a server; what a server did
 * not take yet is kept below the home and sent later. Safe for use by several threads.
 */
public interface RunTracker extends AutoCloseable {

  /**
   * A tracker as planned: local files alone, or local files that are also sent to an MLflow server.
   * Sends what earlier processes left behind.
   *
   * @param home the workspace; files go to {@code home/tracking}
   */
  static RunTracker open(TrackingPlan plan, Path home) {
    return Trackers.open(plan, home);
  }

  /** A tracker that records nothing, for callers without a workspace. */
  static RunTracker none() {
    return Trackers.none();
  }

  /** Starts a run without a parent. */
  default TrackedRun start(String name, Map<String, String> tags) {
    return start(name, null, tags);
  }

  /**
   * Starts a run in the plan's experiment.
   *
   * @param parentKey {@link TrackedRun#key()} of the run that this one is part of, from this or
   *     another process
   */
  TrackedRun start(String name, @Nullable String parentKey, Map<String, String> tags);

  /**
   * Starts a run that several processes record to, or goes on with it when it is there.
   *
   * @param key chosen by the caller, unique for all time, without quotes
   */
  TrackedRun join(String name, String key, Map<String, String> tags);

  /**
   * Registers a version of a model, once per key: a second call with the same version is a no-op on
   * the server.
   *
   * @param source where its files are
   * @param runKey {@link TrackedRun#key()} of the run that made it
   */
  void registerModel(
      ModelVersion version, String source, @Nullable String runKey, Map<String, String> tags);

  /** Points an alias such as {@code champion} to a version registered before. */
  void setAlias(ModelVersion version, String alias);

  /** Takes an alias away from a model, whatever version it points to. */
  void deleteAlias(String model, String alias);

  void setVersionTag(ModelVersion version, String name, String value);

  /** Bytes of records that have not been sent yet; 0 where no server is planned. */
  long pending();

  /**
   * Ends the recording: waits for the server at most the plan's {@code closing}, then leaves what
   * is left to a later process.
   */
  @Override
  void close();
}
