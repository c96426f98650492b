package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Message;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * OpenTelemetry's generative AI spans in OTLP JSON or one span a line: semantic conventions of 2026
 * ({@code gen_ai.input.messages}), the attributes and events before them ({@code gen_ai.prompt.N},
 * {@code gen_ai.user.message}, {@code gen_ai.choice}), and OpenInference ({@code
 * llm.input_messages.N}).
 */
final class OtelLog implements LogReader {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> INFERENCE =
      Set.of("chat", "text_completion", "completion", "generate_content");

  @Override
  public boolean recognises(JsonNode record) {
    return record.path("resourceSpans").isArray()
        || record.path("resourceLogs").isArray()
        || record.path("scopeSpans").isArray()
        || isSpan(record);
  }

  private static boolean isSpan(JsonNode record) {
    JsonNode attributes = record.path("attributes");
    boolean shaped =
        record.has("name") || record.has("kind") || record.has("spanId") || record.has("context");
    return shaped && (attributes.isArray() || attributes.isObject()) && !record.has("info");
  }

  @Override
  public void read(JsonNode record, Sink sink) {
    if (isSpan(record)) {
      one(record, JSON.createObjectNode(), sink);
      return;
    }
    for (JsonNode resource : resources(record)) {
      ObjectNode about = attributes(resource.path("resource").path("attributes"));
      for (JsonNode scope : resource.path("scopeSpans")) {
        scope.path("spans").forEach(span -> one(span, about, sink));
      }
      for (JsonNode scope : resource.path("scopeLogs")) {
        scope.path("logRecords").forEach(log -> one(log, about, sink));
      }
    }
  }

  private static Iterable<JsonNode> resources(JsonNode record) {
    if (record.path("resourceSpans").isArray()) {
      return record.get("resourceSpans");
    }
    return record.path("resourceLogs").isArray()
        ? record.get("resourceLogs")
        : JSON.createArrayNode().add(record);
  }

  private static void one(JsonNode span, ObjectNode resource, Sink sink) {
    try {
      ObjectNode attributes = attributes(span.path("attributes"));
      ArrayNode events = JSON.createArrayNode();
      for (JsonNode event : span.path("events")) {
        ObjectNode copy = attributes(event.path("attributes"));
        events.addObject().put("name", event.path("name").asText()).set("attributes", copy);
        if (event.path("name").asText().startsWith("gen_ai.client.inference")) {
          attributes.setAll(copy);
        }
      }
      if (span.path("body").path("kvlistValue").isObject()) {
        attributes.setAll(attributes(span.get("body").get("kvlistValue").path("values")));
      }
      if (isInference(attributes)) {
        sink.interaction(draft(span, attributes, events, resource));
      } else {
        sink.ignored();
      }
    } catch (Unreadable e) {
      sink.unreadable(e.reason());
    }
  }

  private static boolean isInference(ObjectNode attributes) {
    String operation = Chat.text(attributes, "gen_ai.operation.name");
    if (operation != null) {
      return INFERENCE.contains(operation);
    }
    String kind = Chat.text(attributes, "openinference.span.kind");
    if (kind != null) {
      return kind.equals("LLM");
    }
    return attributes.has("gen_ai.system")
        || attributes.has("gen_ai.provider.name")
        || attributes.has("gen_ai.request.model");
  }

  private static Draft draft(
      JsonNode span, ObjectNode attributes, JsonNode events, ObjectNode resource)
      throws Unreadable {
    Draft draft = new Draft();
    messages(attributes, events, draft);
    if (draft.messages.isEmpty()) {
      throw new Unreadable("span without content: content capture is off in the instrumentation");
    }
    String spanId = Chat.firstText(span, "spanId", "span_id");
    if (spanId == null) {
      spanId = Chat.text(span.path("context"), "span_id");
    }
    String response = Chat.text(attributes, "gen_ai.response.id");
    draft.id = response == null ? spanId : response;
    JsonNode start =
        span.has("startTimeUnixNano") ? span.get("startTimeUnixNano") : span.path("start_time");
    JsonNode end =
        span.has("endTimeUnixNano") ? span.get("endTimeUnixNano") : span.path("end_time");
    draft.occurredAt = Times.of(start.isMissingNode() ? span.path("timeUnixNano") : start);
    Instant ended = Times.of(end);
    if (draft.occurredAt != null && ended != null && !ended.isBefore(draft.occurredAt)) {
      draft.latencyMicros = Duration.between(draft.occurredAt, ended).toNanos() / 1000;
    }
    draft.model =
        Chat.firstText(
            attributes, "gen_ai.response.model", "gen_ai.request.model", "llm.model_name");
    draft.conversation = Chat.firstText(attributes, "gen_ai.conversation.id", "session.id");
    draft.subject = Chat.firstText(attributes, "user.id", "enduser.id");
    draft.tenant = Chat.firstText(resource, "tenant.id", "service.namespace");
    draft.tag("service", Chat.text(resource, "service.name"));
    draft.promptTokens =
        Chat.count(
            attributes,
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt");
    draft.completionTokens =
        Chat.count(
            attributes,
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion");
    draft.cachedPromptTokens =
        Math.min(
            draft.promptTokens,
            Chat.count(
                attributes,
                "gen_ai.usage.cache_read.input_tokens",
                "gen_ai.usage.cache_read_input_tokens"));
    JsonNode tools = attributes.path("gen_ai.tool.definitions");
    draft.tools = tools.isMissingNode() ? null : Chat.jsonText(tools);
    for (JsonNode event : events) {
      if (event.path("name").asText().startsWith("gen_ai.evaluation")) {
        JsonNode about = event.get("attributes");
        JsonNode value =
            about.has("gen_ai.evaluation.score.label")
                ? about.get("gen_ai.evaluation.score.label")
                : about.path("gen_ai.evaluation.score.value");
        Verdicts.apply(draft, Chat.text(about, "gen_ai.evaluation.name"), value, "otel");
      }
    }
    return draft;
  }

  private static void messages(ObjectNode attributes, JsonNode events, Draft draft)
      throws Unreadable {
    JsonNode system = Chat.decoded(attributes.path("gen_ai.system_instructions"));
    if (!system.isMissingNode()) {
      draft.messages.add(Message.system(Chat.content(system)));
    }
    JsonNode input = Chat.decoded(attributes.path("gen_ai.input.messages"));
    if (!input.isMissingNode()) {
      draft.messages.addAll(Chat.messages(input));
      draft.completion = Chat.answer(Chat.decoded(attributes.path("gen_ai.output.messages")));
      return;
    }
    draft.messages.addAll(Chat.messages(numbered(attributes, "gen_ai.prompt.", "")));
    ArrayNode answers = numbered(attributes, "gen_ai.completion.", "");
    if (draft.messages.isEmpty()) {
      draft.messages.addAll(Chat.messages(numbered(attributes, "llm.input_messages.", "message.")));
      answers = numbered(attributes, "llm.output_messages.", "message.");
    }
    for (JsonNode event : events) {
      JsonNode about = event.get("attributes");
      switch (event.path("name").asText()) {
        case "gen_ai.system.message" -> draft.messages.add(Message.system(said(about)));
        case "gen_ai.user.message" -> draft.messages.add(Message.user(said(about)));
        case "gen_ai.assistant.message" -> draft.messages.add(Message.assistant(said(about)));
        case "gen_ai.content.prompt" ->
            draft.messages.addAll(Chat.messages(Chat.decoded(about.path("gen_ai.prompt"))));
        case "gen_ai.content.completion" ->
            draft.completion = Chat.answer(Chat.decoded(about.path("gen_ai.completion")));
        case "gen_ai.choice" -> {
          JsonNode message = Chat.decoded(about.path("message"));
          draft.completion = message.isMissingNode() ? said(about) : Chat.answer(message);
        }
        default -> {}
      }
    }
    if (!answers.isEmpty()) {
      draft.completion = Chat.spoken(answers.get(0));
    }
  }

  private static String said(JsonNode attributes) throws Unreadable {
    return Chat.content(Chat.decoded(attributes.path("content")));
  }

  /** {@code prefix.N.infix.field} as a list of objects, in the order of N. */
  private static ArrayNode numbered(ObjectNode attributes, String prefix, String infix) {
    Map<Integer, ObjectNode> turns = new TreeMap<>();
    for (var attribute : attributes.properties()) {
      String rest =
          attribute.getKey().startsWith(prefix)
              ? attribute.getKey().substring(prefix.length())
              : "";
      int dot = rest.indexOf('.');
      if (dot > 0
          && rest.substring(0, dot).matches("\\d{1,4}")
          && rest.startsWith(infix, dot + 1)) {
        String field = rest.substring(dot + 1 + infix.length());
        if (field.equals("role") || field.equals("content")) {
          turns
              .computeIfAbsent(
                  Integer.valueOf(rest.substring(0, dot)), n -> JSON.createObjectNode())
              .set(field, Chat.decoded(attribute.getValue()));
        }
      }
    }
    return JSON.createArrayNode().addAll(turns.values());
  }

  /** OTLP's list of keys and typed values, or a plain object, as a plain object. */
  private static ObjectNode attributes(JsonNode list) {
    ObjectNode plain = JSON.createObjectNode();
    if (list.isObject()) {
      return plain.setAll((ObjectNode) list);
    }
    for (JsonNode entry : list) {
      plain.set(entry.path("key").asText(), value(entry.path("value")));
    }
    return plain;
  }

  private static JsonNode value(JsonNode typed) {
    if (typed.has("arrayValue")) {
      ArrayNode array = JSON.createArrayNode();
      typed.get("arrayValue").path("values").forEach(element -> array.add(value(element)));
      return array;
    }
    if (typed.has("kvlistValue")) {
      return attributes(typed.get("kvlistValue").path("values"));
    }
    for (String kind : new String[] {"stringValue", "intValue", "doubleValue", "boolValue"}) {
      if (typed.has(kind)) {
        return typed.get(kind);
      }
    }
    return typed.isValueNode() ? typed : NullNode.getInstance();
  }
}
