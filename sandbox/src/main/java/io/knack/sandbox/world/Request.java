package io.knack.sandbox.world;

import java.time.Instant;

/**
 * A customer's question, and the truth about it that no stage sees.
 *
 * @param day from 1
 * @param text as asked, personal data included
 * @param poisoned whether its log lies: a wrong answer marked as passed
 */
public record Request(
    String id,
    int day,
    Instant occurredAt,
    String tenant,
    String user,
    String conversation,
    String text,
    Truth truth,
    boolean poisoned) {

  /**
   * What only the final measurement reads.
   *
   * @param family empty for noise and traps
   * @param recurring whether its family was asked on an earlier day
   * @param answer the right one on that day; empty when there is none
   */
  public record Truth(
      String family,
      Level level,
      String policy,
      String kind,
      String structure,
      boolean recurring,
      String answer) {}
}
