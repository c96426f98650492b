package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;

/** LiteLLM's StandardLoggingPayload, as its callbacks and blob loggers write it. */
final class LiteLlmLog implements LogReader {
  @Override
  public boolean recognises(JsonNode record) {
    return record.has("call_type")
        && (record.has("startTime") || record.has("model_group") || record.has("status_fields"));
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    String call = record.path("call_type").asText();
    if (!call.contains("completion") && !call.contains("response") && !call.contains("anthropic")) {
      sink.ignored();
      return;
    }
    JsonNode messages = Chat.decoded(record.path("messages"));
    JsonNode elsewhere = record.path("metadata").path("cold_storage_object_key");
    if (elsewhere.isTextual()
        && (messages.isMissingNode() || messages.isNull() || messages.isEmpty())) {
      throw new Unreadable("LiteLLM record whose messages lie in cold storage");
    }
    if (messages.isMissingNode() || messages.isNull()) {
      throw new Unreadable("LiteLLM record without messages");
    }
    Draft draft = new Draft();
    draft.id = Chat.text(record, "id");
    draft.messages.addAll(Chat.messages(messages));
    draft.completion = Chat.answer(Chat.decoded(record.path("response")));
    draft.occurredAt = Times.of(record.path("startTime"));
    Instant end = Times.of(record.path("endTime"));
    if (draft.occurredAt != null && end != null && !end.isBefore(draft.occurredAt)) {
      draft.latencyMicros = Duration.between(draft.occurredAt, end).toNanos() / 1000;
    }
    JsonNode metadata = record.path("metadata");
    draft.tenant = Chat.firstText(metadata, "user_api_key_org_id", "user_api_key_team_id");
    String user = Chat.text(record, "end_user");
    draft.subject = user == null ? Chat.text(metadata, "user_api_key_end_user_id") : user;
    draft.conversation = Chat.firstText(record, "session_id", "trace_id");
    draft.model = Chat.text(record, "model");
    Chat.usage(record, draft);
    JsonNode usage = metadata.path("usage_object");
    if (usage.isObject() && !usage.isEmpty()) {
      Chat.usage(usage, draft);
    }
    draft.cost = Chat.number(record, "response_cost");
    JsonNode tools = record.path("model_parameters").path("tools");
    draft.tools = tools.isArray() && !tools.isEmpty() ? tools.toString() : null;
    draft.tag("model_group", Chat.text(record, "model_group"));
    draft.tag("status", Chat.text(record, "status"));
    int n = 0;
    for (JsonNode tag : record.path("request_tags")) {
      String text = tag.asText();
      int colon = text.indexOf(':');
      draft.tag(colon > 0 ? text.substring(0, colon) : "tag_" + n++, text.substring(colon + 1));
    }
    sink.interaction(draft);
  }
}
