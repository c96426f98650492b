package io.knack.contracts;

import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One logged request to the serving tier and what came of it, scrubbed of personal data.
 *
 * @param tenant the customer; {@link #NO_TENANT} where logs name none
 * @param messages the request, without the answer
 * @param tools tool definitions of the request, a JSON array as text
 * @param completion the answer that was served; null when there was none
 * @param reference the known right answer, where a log has one
 * @param attempts every candidate that was produced, the served one included
 * @param outcomeSource what said so, as {@code log:verified}, {@code verifier:numeric}
 * @param cost as the log states it, in its currency
 * @param latencyMicros of the whole request
 * @param servedBy the manifest version that answered, as {@code v000003}; null for the base model
 */
public record Interaction(
    InteractionId id,
    Instant occurredAt,
    TenantId tenant,
    @Nullable SubjectId subject,
    @Nullable ConversationId conversation,
    List<Message> messages,
    @Nullable String tools,
    @Nullable String completion,
    @Nullable String reference,
    List<Attempt> attempts,
    Outcome outcome,
    @Nullable String outcomeSource,
    @Nullable String feedback,
    Budget budget,
    @Nullable Double cost,
    @Nullable Long latencyMicros,
    @Nullable String model,
    @Nullable String servedBy,
    Map<String, String> tags) {
  public static final TenantId NO_TENANT = new TenantId("-");

  public Interaction {
    messages = List.copyOf(messages);
    attempts = List.copyOf(attempts);
    tags = Map.copyOf(tags);
  }

  /** The text that recurs: the last thing the user said. Empty when no user spoke. */
  public String problem() {
    return Problems.of(messages);
  }
}
