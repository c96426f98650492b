package io.knack.practice.verify;

import java.text.Normalizer;
import java.util.Locale;

/** Right when the answer is the reference, letter for letter after normalisation. */
final class ExactVerifier implements Verifier {
  private final Extract extract;
  private final boolean ignoreCase;

  ExactVerifier(Options options) {
    extract = options.choice("extract", Extract.CONCLUSION, Extract.class);
    ignoreCase = options.flag("ignore_case", true);
  }

  @Override
  public Verification verify(Check check) {
    long started = System.nanoTime();
    if (check.reference() == null) {
      return Checked.fault("verifier exact needs a reference, and the problem has none", started);
    }
    String given = normal(extract.of(check.answer()));
    String known = normal(extract.of(check.reference()));
    return given.equals(known)
        ? Checked.score(1, "equal", started)
        : Checked.score(0, "found '" + Checked.brief(given) + "'", started);
  }

  private String normal(String text) {
    String normal =
        Normalizer.normalize(text, Normalizer.Form.NFKC).strip().replaceAll("\\s+", " ");
    normal = normal.replaceAll("[.。]$", "");
    return ignoreCase ? normal.toLowerCase(Locale.ROOT) : normal;
  }
}
