package io.knack.contracts.stage;

import java.io.IOException;
import java.io.UncheckedIOException;

/** What a process tells its scheduler. The numbers are those of sysexits where it has one. */
public enum ExitCode {
  /** Committed, or already committed for these inputs. */
  OK(0),
  /** The command line or the plan is wrong. */
  USAGE(2),
  /** An input breaks its contract: missing, erased, wrong digest, leaked holdout. */
  CONTRACT(65),
  /** A bug. */
  BUG(70),
  /** Try again later: endpoint, disk, device, lease, time window. */
  TEMPORARY(75),
  /** Finished with nothing to hand on. */
  NOTHING(99);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /** How a process ends that this has failed. Disks and networks fail without anybody's mistake. */
  public static ExitCode of(Throwable failure) {
    if (failure instanceof KnackException known) {
      return known.exitCode();
    }
    return failure instanceof IOException || failure instanceof UncheckedIOException
        ? TEMPORARY
        : BUG;
  }

  public int code() {
    return code;
  }
}
