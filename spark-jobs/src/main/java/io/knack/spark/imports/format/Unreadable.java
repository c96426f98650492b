package io.knack.spark.imports.format;

import java.io.Serial;

/** A record is not understood; the message goes to quarantine and holds nothing of the record. */
public final class Unreadable extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final String reason;

  public Unreadable(String reason) {
    super(reason);
    this.reason = reason;
  }

  public String reason() {
    return reason;
  }
}
