package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;

/**
 * Pairs of an OpenAI request and its response, in the envelopes that are about: {@code
 * request/response} (also with the fields that data-flywheel puts around it), {@code input/output},
 * {@code body} and the Batch API's input and output files, which are joined by {@code custom_id}.
 */
final class OpenAiLog implements LogReader {
  @Override
  public boolean recognises(JsonNode record) {
    return (record.path("request").isObject() && record.has("response"))
        || isBatchOutput(record)
        || isBatchInput(record)
        || record.path("body").path("messages").isArray()
        || (record.has("input")
            && record.has("output")
            && !record.has("instruction")
            && !record.has("trace_id"))
        || (record.has("messages")
            && (record.path("response").isObject() || record.path("choices").isArray()));
  }

  private static boolean isBatchOutput(JsonNode record) {
    return record.has("custom_id") && (record.has("response") || record.has("error"));
  }

  private static boolean isBatchInput(JsonNode record) {
    return record.has("custom_id") && record.path("body").isObject() && !record.has("response");
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    if (isBatchOutput(record)) {
      batchOutput(record, sink);
    } else if (isBatchInput(record)) {
      // The request waits for its answer; the stage makes an interaction of those without one.
      sink.side("batch:" + record.get("custom_id").asText(), record.get("body"));
    } else {
      JsonNode request =
          record.has("request")
              ? record.get("request")
              : record.has("body") ? record.get("body") : record;
      JsonNode response =
          record.has("response")
              ? record.get("response")
              : record.has("output") && !record.has("request") ? record.get("output") : record;
      sink.interaction(pair(record, Chat.decoded(request), Chat.decoded(response)));
    }
  }

  private static void batchOutput(JsonNode record, Sink sink) throws Unreadable {
    JsonNode error = record.path("error");
    int status = record.path("response").path("status_code").asInt(200);
    if (error.isObject() || status >= 400) {
      throw new Unreadable("batch request that failed at the provider");
    }
    Draft draft = new Draft();
    fillResponse(draft, record.path("response").path("body"));
    draft.id = Chat.text(record, "id");
    draft.tag("custom_id", Chat.text(record, "custom_id"));
    draft.joinKey = "batch:" + record.get("custom_id").asText();
    sink.interaction(draft);
  }

  private static Draft pair(JsonNode record, JsonNode request, JsonNode response)
      throws Unreadable {
    Draft draft = new Draft();
    fillRequest(draft, request);
    fillResponse(draft, response);
    String own = Chat.firstText(record, "id", "request_id", "log_id");
    draft.id = own == null ? Chat.text(response, "id") : own;
    Instant stated = null;
    for (String field :
        new String[] {"timestamp", "time", "created_at", "occurred_at", "start_time"}) {
      stated = stated == null ? Times.of(record.path(field)) : stated;
    }
    draft.occurredAt = stated == null ? draft.occurredAt : stated;
    draft.tenant = Chat.firstText(record, "client_id", "tenant");
    draft.tag("workload_id", Chat.text(record, "workload_id"));
    String user = Chat.firstText(record, "user", "user_id", "subject");
    draft.subject = user == null ? draft.subject : user;
    String conversation = Chat.firstText(record, "conversation_id", "session_id", "conversation");
    draft.conversation = conversation == null ? draft.conversation : conversation;
    draft.servedBy = Chat.text(record, "served_by");
    Double millis = Chat.number(record, "latency_ms");
    draft.latencyMicros = millis == null || millis < 0 ? null : Math.round(millis * 1000);
    draft.cost = Chat.number(record, "cost");
    for (String verdict : new String[] {"verified", "correct", "is_correct", "passed"}) {
      Verdicts.apply(draft, verdict, record.path(verdict), "log");
    }
    draft.reference = Chat.firstText(record, "reference", "ground_truth", "expected");
    String feedback = Chat.text(record, "feedback");
    if (feedback != null) {
      draft.addFeedback(feedback);
    }
    record
        .path("tags")
        .properties()
        .forEach(tag -> draft.tag(tag.getKey(), tag.getValue().asText()));
    return draft;
  }

  /** Also used for batch requests that are joined later. */
  static void fillRequest(Draft draft, JsonNode request) throws Unreadable {
    JsonNode messages =
        request.has("messages")
            ? request.get("messages")
            : request.has("input") ? request.get("input") : request.path("prompt");
    if (messages.isMissingNode() && (request.isTextual() || request.isArray())) {
      messages = request;
    }
    if (messages.isMissingNode()) {
      throw new Unreadable("request without messages, input or prompt");
    }
    if (request.path("instructions").isTextual()) {
      draft.messages.add(
          io.knack.contracts.Message.system(request.get("instructions").textValue()));
    }
    draft.messages.addAll(Chat.messages(Chat.decoded(messages)));
    if (request.path("tools").isArray() && !request.get("tools").isEmpty()) {
      draft.tools = request.get("tools").toString();
    }
    draft.model = draft.model == null ? Chat.text(request, "model") : draft.model;
    draft.subject = Chat.text(request, "user");
  }

  private static void fillResponse(Draft draft, JsonNode response) throws Unreadable {
    draft.completion = Chat.answer(response);
    if (draft.completion == null && response.path("error").isObject()) {
      draft.tag("error", Chat.firstText(response.get("error"), "code", "type"));
    }
    String model = Chat.text(response, "model");
    draft.model = model == null ? draft.model : model;
    JsonNode created =
        response.has("created") ? response.get("created") : response.path("created_at");
    draft.occurredAt = Times.of(created);
    Chat.usage(response.path("usage"), draft);
    draft.tag("finish_reason", Chat.text(response.path("choices").path(0), "finish_reason"));
    for (int i = 1; i < response.path("choices").size(); i++) {
      JsonNode choice = response.path("choices").get(i);
      String other = Chat.spoken(choice.path("message"));
      if (other != null) {
        draft.attempts.add(
            new io.knack.contracts.Attempt(
                null, other, 0, 0, 0, null, io.knack.contracts.Outcome.UNKNOWN));
      }
    }
  }
}
