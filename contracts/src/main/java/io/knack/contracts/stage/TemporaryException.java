package io.knack.contracts.stage;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** It may work later. Maps to {@link ExitCode#TEMPORARY}. */
public final class TemporaryException extends KnackException {
  @Serial private static final long serialVersionUID = 1L;

  public TemporaryException(String message) {
    super(ExitCode.TEMPORARY, message);
  }

  public TemporaryException(String message, @Nullable Throwable cause) {
    super(ExitCode.TEMPORARY, message, cause);
  }
}
