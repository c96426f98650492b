package io.knack.contracts.stage;

import io.knack.contracts.cli.Console;
import io.knack.contracts.id.RunId;
import java.nio.file.Path;
import java.time.Clock;

/** Where and when a stage runs. */
public interface StageContext {
  /** The workspace. */
  Path home();

  RunId run();

  /** An empty directory beside the artifact's place; what is in it is committed. */
  Path output();

  /** Scratch and caches of this stage that outlive a run: checkpoints, vector caches. */
  Path cache();

  Clock clock();

  /** What the night may still spend on models; whoever asks one says so here. */
  default Allowance allowance() {
    return Allowance.unlimited();
  }

  /** Progress and words for the person who watches. */
  Console console();

  /** True once SIGTERM or the time window asks for an orderly stop: save and leave with 75. */
  boolean stopRequested();
}
