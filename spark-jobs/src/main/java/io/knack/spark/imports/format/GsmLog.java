package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Attempt;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * Model solutions of GSM8K: a question, its worked answer, and per model one solution with the mark
 * it got. The served answer is the first one marked right, or the first.
 */
final class GsmLog implements LogReader {
  @Override
  public boolean recognises(JsonNode record) {
    return record.path("question").isTextual() && record.path("ground_truth").isTextual();
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    Draft draft = new Draft();
    draft.messages.add(Message.user(record.get("question").textValue()));
    draft.reference = conclusion(record.get("ground_truth").textValue());
    Attempt served = null;
    for (var entry : record.properties()) {
      JsonNode solution = entry.getValue().path("solution");
      JsonNode mark = entry.getValue().path("is_correct");
      if (solution.isTextual() && mark.isBoolean()) {
        Attempt attempt =
            new Attempt(
                entry.getKey(),
                solution.textValue(),
                0,
                0,
                0,
                mark.asBoolean() ? 1.0 : 0.0,
                mark.asBoolean() ? Outcome.VERIFIED : Outcome.FAILED);
        draft.attempts.add(attempt);
        served = better(served, attempt);
      }
    }
    if (served == null) {
      throw new Unreadable("question without a marked solution");
    }
    // The worked answer of the data set is a solution too, and the only one to the hardest
    // questions.
    draft.attempts.add(
        new Attempt(
            "reference", record.get("ground_truth").textValue(), 0, 0, 0, 1.0, Outcome.VERIFIED));
    draft.completion = served.text();
    draft.outcome = served.outcome();
    draft.score = served.score();
    draft.outcomeSource = "log:is_correct";
    draft.model = served.method();
    sink.interaction(draft);
  }

  private static Attempt better(@Nullable Attempt served, Attempt attempt) {
    return served == null
            || (served.outcome() != Outcome.VERIFIED && attempt.outcome() == Outcome.VERIFIED)
        ? attempt
        : served;
  }

  /** What stands behind the last {@code A:} or {@code ####}. */
  private static String conclusion(String worked) {
    int marker = Math.max(worked.lastIndexOf("\nA:"), worked.lastIndexOf("####"));
    if (marker < 0) {
      return worked.strip();
    }
    return worked.substring(marker).replaceFirst("^\\s*(A:|####)", "").strip();
  }
}
