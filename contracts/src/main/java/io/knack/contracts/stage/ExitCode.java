package io.knack.contracts.stage;

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

  public int code() {
    return code;
  }
}
