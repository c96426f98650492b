package io.knack.spark.imports.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Outcome;
import io.knack.contracts.store.Jsons;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Knack's own interactions, as {@code ./knack show interactions --json} prints them. */
final class KnackLog implements LogReader {
  @Override
  public boolean recognises(JsonNode record) {
    return record.path("messages").isArray()
        && record.has("occurred_at")
        && (record.has("outcome") || record.has("attempts"));
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    Draft draft = new Draft();
    draft.id = Chat.text(record, "id");
    draft.occurredAt = Times.of(record.get("occurred_at"));
    String tenant = Chat.text(record, "tenant");
    draft.tenant = "-".equals(tenant) ? null : tenant;
    draft.subject = Chat.text(record, "subject");
    draft.conversation = Chat.text(record, "conversation");
    draft.messages.addAll(Chat.messages(record.get("messages")));
    draft.tools = Chat.text(record, "tools");
    draft.completion =
        record.path("completion").isTextual() ? record.get("completion").textValue() : null;
    draft.reference = Chat.text(record, "reference");
    for (JsonNode attempt : record.path("attempts")) {
      draft.attempts.add(attempt(attempt));
    }
    draft.outcome = outcome(record);
    draft.outcomeSource = Chat.text(record, "outcome_source");
    draft.feedback = Chat.text(record, "feedback");
    draft.cost = Chat.number(record, "cost");
    draft.latencyMicros =
        record.path("latency_micros").isNumber() ? record.get("latency_micros").asLong() : null;
    draft.model = Chat.text(record, "model");
    draft.servedBy = Chat.text(record, "served_by");
    record
        .path("tags")
        .properties()
        .forEach(tag -> draft.tag(tag.getKey(), tag.getValue().asText()));
    Budget budget = budget(record.path("budget"));
    draft.budget = budget;
    if (budget != null) {
      draft.promptTokens = budget.promptTokens();
      draft.cachedPromptTokens = budget.cachedPromptTokens();
      draft.completionTokens = budget.completionTokens();
    }
    sink.interaction(draft);
  }

  private static Attempt attempt(JsonNode attempt) throws Unreadable {
    return new Attempt(
        Chat.text(attempt, "method"),
        attempt.path("text").asText(),
        Chat.count(attempt, "prompt_tokens"),
        Chat.count(attempt, "cached_prompt_tokens"),
        Chat.count(attempt, "completion_tokens"),
        Chat.number(attempt, "score"),
        outcome(attempt));
  }

  private static Outcome outcome(JsonNode record) throws Unreadable {
    String name = Chat.text(record, "outcome");
    if (name == null) {
      return Outcome.UNKNOWN;
    }
    try {
      return Outcome.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new Unreadable("outcome is none of verified, failed, unknown");
    }
  }

  private static @Nullable Budget budget(JsonNode budget) throws Unreadable {
    if (!budget.isObject()) {
      return null;
    }
    try {
      return Jsons.mapper().treeToValue(budget, Budget.class);
    } catch (JsonProcessingException e) {
      throw new Unreadable("budget is not one");
    }
  }
}
