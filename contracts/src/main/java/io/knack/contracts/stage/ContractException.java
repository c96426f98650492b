package io.knack.contracts.stage;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** An input is not what its contract says. Maps to {@link ExitCode#CONTRACT}. */
public final class ContractException extends KnackException {
  @Serial private static final long serialVersionUID = 1L;

  public ContractException(String message) {
    super(ExitCode.CONTRACT, message);
  }

  public ContractException(String message, @Nullable Throwable cause) {
    super(ExitCode.CONTRACT, message, cause);
  }
}
