package io.knack.practice.verify;

import java.util.Locale;
import java.util.Optional;

/**
 * Right when enough answers to the same problem conclude the same, this one included. Adaptive
 * self-consistency; it proves nothing, and says so by not being independent.
 */
final class AgreementVerifier implements Verifier {
  private final int votes;

  AgreementVerifier(Options options) {
    votes = options.count("votes", 3, 2, 1024);
  }

  @Override
  public Verification verify(Check check) {
    long started = System.nanoTime();
    String given = normal(check.answer());
    if (given.isEmpty()) {
      return Checked.score(0, "no conclusion", started);
    }
    long same = 1 + check.earlier().stream().filter(e -> normal(e).equals(given)).count();
    return Checked.score(
        Math.min(1.0, (double) same / votes), same + " of " + votes + " votes", started);
  }

  private static String normal(String answer) {
    String conclusion = Extract.CONCLUSION.of(answer);
    Optional<Quantity> number = Quantity.last(conclusion);
    return number
        .map(n -> n.number().stripTrailingZeros().toPlainString())
        .orElseGet(() -> conclusion.toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip());
  }

  @Override
  public boolean independent() {
    return false;
  }
}
