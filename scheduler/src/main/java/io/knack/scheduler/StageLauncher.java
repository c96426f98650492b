package io.knack.scheduler;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Runs one stage to its end, in a process of its own. */
interface StageLauncher {
  /**
   * Waits for the stage.
   *
   * @param arguments of {@code ./knack}, the verb first
   * @param environment variables that are set besides this process's own
   * @param patience after which the stage is asked to stop (SIGTERM)
   * @param log receives what the stage says on standard error
   */
  StageExit launch(
      List<String> arguments, Map<String, String> environment, Duration patience, Path log)
      throws InterruptedException;

  /** Asks the stage that runs now, if any, to stop in order; returns at once. */
  void stop();

  /**
   * How a stage ended.
   *
   * @param code see {@link io.knack.contracts.stage.ExitCode}; 128 + n when signal n ended it
   * @param output its standard output, one JSON document; empty when there was none
   */
  record StageExit(int code, String output) {}
}
