package io.knack.contracts.stage;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
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

  /**
   * What a disk or a network refused, in words: many of Java's own exceptions carry a bare path.
   *
   * @param failed what could not be done, as "cannot read FILE"
   */
  public static TemporaryException of(String failed, IOException cause) {
    return new TemporaryException(failed + ": " + words(cause), cause);
  }

  static String words(IOException e) {
    String found = String.valueOf(e.getMessage());
    if (e instanceof AccessDeniedException) {
      return "permission denied for " + found;
    }
    if (e instanceof NoSuchFileException) {
      return "there is no " + found;
    }
    if (e instanceof NotDirectoryException) {
      return found + " is no directory";
    }
    return found;
  }
}
