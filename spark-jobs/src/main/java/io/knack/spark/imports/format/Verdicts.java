package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Outcome;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Scores and assessments of tracers. Those whose name says that the answer was checked decide the
 * outcome; all others are feedback.
 */
final class Verdicts {
  private static final Set<String> NAMES =
      Set.of(
          "correct",
          "correctness",
          "is_correct",
          "verified",
          "passed",
          "pass",
          "accuracy",
          "success",
          "resolved");
  private static final Set<String> YES =
      Set.of(
          "true",
          "yes",
          "y",
          "1",
          "1.0",
          "correct",
          "pass",
          "passed",
          "success",
          "verified",
          "resolved");
  private static final Set<String> NO =
      Set.of(
          "false",
          "no",
          "n",
          "0",
          "0.0",
          "incorrect",
          "wrong",
          "fail",
          "failed",
          "failure",
          "unresolved");

  private Verdicts() {}

  static void apply(Draft draft, @Nullable String name, JsonNode value, String source) {
    if (name == null || value.isMissingNode() || value.isNull()) {
      return;
    }
    String plain = name.toLowerCase(Locale.ROOT).replace(' ', '_').replace('-', '_');
    Outcome verdict = NAMES.contains(plain) ? verdict(value.asText()) : Outcome.UNKNOWN;
    if (verdict == Outcome.UNKNOWN) {
      draft.addFeedback(name + "=" + (value.isValueNode() ? value.asText() : value.toString()));
    } else {
      draft.judged(verdict, source + ":" + plain);
    }
  }

  /** Unknown for what is neither yes nor no, a score between 0 and 1 for instance. */
  static Outcome verdict(String text) {
    String word = text.strip().toLowerCase(Locale.ROOT);
    return YES.contains(word)
        ? Outcome.VERIFIED
        : NO.contains(word) ? Outcome.FAILED : Outcome.UNKNOWN;
  }
}
