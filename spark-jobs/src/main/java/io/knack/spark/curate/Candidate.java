package io.knack.spark.curate;

import io.knack.contracts.Attempt;
import io.knack.contracts.Interaction;
import io.knack.contracts.Outcome;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.store.Digests;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An interaction that may become an example, its outcomes verified as far as they can be.
 *
 * @param clusterId null for the pool of the anchor
 * @param verifier how an answer to it is checked; null when nothing can
 * @param faults checks that the verifier could not make
 */
public record Candidate(
    Interaction interaction,
    @Nullable ClusterId clusterId,
    @Nullable VerifierSpec verifier,
    long verifierCalls,
    long verifierMicros,
    long faults) {

  /** The shortest answer that was verified. */
  Optional<Attempt> solution() {
    return interaction.attempts().stream()
        .filter(attempt -> attempt.outcome() == Outcome.VERIFIED && !attempt.text().isBlank())
        .min(
            Comparator.comparingLong(Attempt::completionTokens)
                .thenComparingInt(attempt -> attempt.text().length())
                .thenComparing(Attempt::text));
  }

  /** Equal for requests that ask the same in the same words. */
  String requestDigest() {
    StringBuilder request = new StringBuilder();
    interaction
        .messages()
        .forEach(
            message ->
                request
                    .append(message.role())
                    .append('\u0001')
                    .append(message.content())
                    .append('\u0002'));
    return Digests.sha256(normal(request.toString()));
  }

  String problemText() {
    return normal(interaction.problem());
  }

  static String normal(String text) {
    return text.toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip();
  }
}
