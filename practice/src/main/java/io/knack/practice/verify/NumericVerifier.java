package io.knack.practice.verify;

import io.knack.practice.prompt.Replies;
import java.math.BigDecimal;
import java.util.Optional;

/** Right when the last number of the conclusion is the reference's, within a tolerance. */
final class NumericVerifier implements Verifier {
  /** What to make of units. */
  enum Units {
    /** Numbers alone count. */
    IGNORE,
    /** Where the reference has a unit, the answer must have the same. */
    SAME,
    /** As same, after conversion: 1.5 m is 150 cm. */
    CONVERT
  }

  private final BigDecimal tolerance;
  private final BigDecimal relative;
  private final Units units;

  NumericVerifier(Options options) {
    tolerance = BigDecimal.valueOf(options.number("tolerance", 1e-6, 0, 1e12));
    relative = BigDecimal.valueOf(options.number("relative_tolerance", 0, 0, 1));
    units = options.choice("units", Units.IGNORE, Units.class);
  }

  @Override
  public Verification verify(Check check) {
    long started = System.nanoTime();
    Optional<Quantity> known =
        check.reference() == null ? Optional.empty() : quantity(check.reference());
    if (known.isEmpty()) {
      return Checked.fault(
          "verifier numeric needs a number as reference, found "
              + (check.reference() == null ? "none" : "'" + Checked.brief(check.reference()) + "'"),
          started);
    }
    Optional<Quantity> given = quantity(check.answer());
    if (given.isEmpty()) {
      return Checked.score(0, "no number in the answer", started);
    }
    return equal(given.get(), known.get())
        ? Checked.score(1, "equal", started)
        : Checked.score(
            0,
            ("found " + given.get().number().toPlainString() + " " + given.get().unit()).strip(),
            started);
  }

  private static Optional<Quantity> quantity(String text) {
    Optional<Quantity> concluded = Replies.conclusion(text).flatMap(Quantity::last);
    return concluded.isPresent() ? concluded : Quantity.last(text);
  }

  private boolean equal(Quantity given, Quantity known) {
    if (units != Units.IGNORE && !known.unit().isEmpty()) {
      Quantity a = units == Units.CONVERT ? given.converted() : given;
      Quantity b = units == Units.CONVERT ? known.converted() : known;
      return a.unit().equals(b.unit()) && near(a.number(), b.number());
    }
    return near(given.number(), known.number());
  }

  private boolean near(BigDecimal a, BigDecimal b) {
    return a.subtract(b).abs().compareTo(tolerance.max(b.abs().multiply(relative))) <= 0;
  }
}
