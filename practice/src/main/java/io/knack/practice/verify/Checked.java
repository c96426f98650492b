package io.knack.practice.verify;

import io.knack.contracts.Budget;

/** Verifications of checks that ran in this process or one of ours: one verifier call each. */
final class Checked {
  private Checked() {}

  static Verification score(double score, String reason, long startedNanos) {
    return new Verification(score, reason, cost(startedNanos));
  }

  static Verification fault(String fault, long startedNanos) {
    return new Verification(0, "not checked", cost(startedNanos), fault);
  }

  static Budget cost(long startedNanos) {
    return new Budget(0, 0, 0, 0, 1, 0, 0, 0, (System.nanoTime() - startedNanos) / 1000);
  }

  /** At most the first 200 characters, in one line. */
  static String brief(String text) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= 200 ? line : line.substring(0, 200) + "...";
  }
}
