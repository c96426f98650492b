package io.knack.tracking;

import java.io.Serial;

/** The server will never take this event. */
final class RejectedException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  RejectedException(String message) {
    super(message);
  }
}
