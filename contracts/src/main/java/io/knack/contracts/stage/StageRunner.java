package io.knack.contracts.stage;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs one stage by the stage protocol of {@code docs/architecture.md}. */
public final class StageRunner {
  private StageRunner() {}

  /**
   * Reads the plan, pins inputs, runs unless the same work is already committed, commits, prints
   * the outcome.
   *
   * @param planFile null for the plan's defaults
   * @param overrides {@code path=value} each
   * @param run null for a new run id
   * @return the process's exit code
   */
  public static <P extends Record> int run(
      Stage<P> stage,
      Path home,
      @Nullable Path planFile,
      List<String> overrides,
      @Nullable String run,
      OutputFormat format) {
    throw new UnsupportedOperationException("written next");
  }

  /** What standard output carries. */
  public enum OutputFormat {
    TEXT,
    JSON
  }
}
