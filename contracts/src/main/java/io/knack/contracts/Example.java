package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One curated problem, with a verified solution where it is for training.
 *
 * @param clusterId null for the anchor
 * @param messages the request, without the answer
 * @param completion the verified solution; always present in {@link Split#TRAIN}, may be absent
 *     elsewhere
 * @param reference the known right answer; null when only a verifier knows
 * @param verifier how an answer to it is checked
 * @param score of the completion, in [0, 1]
 * @param weight in training, positive
 */
public record Example(
    ExampleId id,
    @Nullable ClusterId clusterId,
    List<InteractionId> sourceInteractionIds,
    Instant occurredAt,
    @Nullable ConversationId conversation,
    TenantId tenant,
    @Nullable SubjectId subject,
    Map<String, String> tags,
    List<Message> messages,
    @Nullable String completion,
    @Nullable String reference,
    VerifierSpec verifier,
    double score,
    double weight,
    Split split) {
  public Example {
    sourceInteractionIds = List.copyOf(sourceInteractionIds);
    tags = Map.copyOf(tags);
    messages = List.copyOf(messages);
  }

  /** The text that recurs: the last thing the user said. */
  public String problem() {
    return Problems.of(messages);
  }
}
