package io.knack.contracts.stage;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** A failure that is not a bug: its message is for the user, without a stack trace. */
public abstract sealed class KnackException extends RuntimeException
    permits PlanException, ContractException, TemporaryException {
  @Serial private static final long serialVersionUID = 1L;

  private final ExitCode exitCode;

  KnackException(ExitCode exitCode, String message) {
    this(exitCode, message, null);
  }

  KnackException(ExitCode exitCode, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  public ExitCode exitCode() {
    return exitCode;
  }
}
