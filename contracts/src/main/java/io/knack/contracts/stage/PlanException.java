package io.knack.contracts.stage;

import java.io.Serial;
import java.util.List;

/**
 * A plan or command line is wrong. Carries every problem at once; maps to {@link ExitCode#USAGE}.
 */
public final class PlanException extends KnackException {
  @Serial private static final long serialVersionUID = 1L;

  public PlanException(String message) {
    super(ExitCode.USAGE, message);
  }

  public PlanException(List<String> problems) {
    super(ExitCode.USAGE, String.join(System.lineSeparator(), problems));
  }
}
