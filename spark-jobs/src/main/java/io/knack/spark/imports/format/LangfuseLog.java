package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Langfuse's blob export: generations become interactions; users, sessions and scores come from the
 * tables beside them. Export windows are inclusive at both ends, so that boundary rows repeat: the
 * latest {@code updated_at} counts.
 */
final class LangfuseLog implements LogReader {
  private static final Set<String> TYPES =
      Set.of(
          "GENERATION",
          "SPAN",
          "EVENT",
          "AGENT",
          "TOOL",
          "CHAIN",
          "RETRIEVER",
          "EVALUATOR",
          "EMBEDDING",
          "GUARDRAIL");

  @Override
  public boolean recognises(JsonNode record) {
    return isObservation(record) || isScore(record) || isTrace(record);
  }

  private static boolean isObservation(JsonNode record) {
    return has(record, "trace_id", "traceId")
        && has(record, "start_time", "startTime")
        && TYPES.contains(record.path("type").asText());
  }

  private static boolean isScore(JsonNode record) {
    return has(record, "trace_id", "traceId")
        && record.has("name")
        && has(record, "data_type", "dataType");
  }

  private static boolean isTrace(JsonNode record) {
    return record.has("id")
        && record.has("timestamp")
        && has(record, "project_id", "projectId")
        && (has(record, "session_id", "sessionId") || has(record, "user_id", "userId"));
  }

  /** Its tables come as CSV too, with JSON in the fields. */
  static boolean exports(Collection<String> columns) {
    return ((columns.contains("trace_id") || columns.contains("traceId"))
            && (columns.contains("start_time")
                || columns.contains("startTime")
                || columns.contains("data_type")
                || columns.contains("dataType")))
        || ((columns.contains("project_id") || columns.contains("projectId"))
            && columns.contains("timestamp"));
  }

  private static boolean has(JsonNode record, String snake, String camel) {
    return record.has(snake) || record.has(camel);
  }

  private static @Nullable String text(JsonNode record, String snake, String camel) {
    return Chat.firstText(record, snake, camel);
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    if (isScore(record) || !isObservation(record)) {
      String trace =
          isScore(record) ? text(record, "trace_id", "traceId") : Chat.text(record, "id");
      if (trace == null) {
        throw new Unreadable("Langfuse score or trace without an id of the trace");
      }
      sink.side("langfuse:" + trace, record);
      return;
    }
    if (!record.path("type").asText().equals("GENERATION")) {
      sink.ignored();
      return;
    }
    JsonNode input = Chat.decoded(record.path("input"));
    if (input.isMissingNode() || input.isNull()) {
      throw new Unreadable("Langfuse generation without input");
    }
    Draft draft = new Draft();
    draft.id = Chat.text(record, "id");
    draft.messages.addAll(Chat.messages(input));
    draft.completion = Chat.answer(Chat.decoded(record.path("output")));
    draft.occurredAt =
        Times.of(record.has("start_time") ? record.get("start_time") : record.path("startTime"));
    draft.model = Chat.firstText(record, "provided_model_name", "providedModelName", "model");
    Chat.usage(
        Chat.decoded(
            record.has("usage_details")
                ? record.get("usage_details")
                : record.path("usageDetails")),
        draft);
    draft.cost = Chat.number(record, "total_cost", "totalCost");
    Double seconds = Chat.number(record, "latency");
    draft.latencyMicros = seconds == null || seconds < 0 ? null : Math.round(seconds * 1e6);
    draft.tag("environment", Chat.text(record, "environment"));
    draft.tag("name", Chat.text(record, "name"));
    draft.tag("prompt_name", text(record, "prompt_name", "promptName"));
    draft.joinKey = "langfuse:" + text(record, "trace_id", "traceId");
    draft.tag("langfuse.trace", text(record, "trace_id", "traceId"));
    Instant updated =
        Times.of(record.has("updated_at") ? record.get("updated_at") : record.path("updatedAt"));
    draft.version = updated == null ? 0 : ChronoUnit.MICROS.between(Instant.EPOCH, updated);
    sink.interaction(draft);
  }

  /** Adds what a trace or score says to a generation of the same trace. */
  static void join(Draft draft, JsonNode side) {
    if (isScore(side)) {
      String observation = text(side, "observation_id", "observationId");
      if (observation == null || observation.equals(draft.id)) {
        JsonNode value = side.path("value");
        String words = text(side, "string_value", "stringValue");
        Verdicts.apply(
            draft,
            Chat.text(side, "name"),
            words == null ? value : com.fasterxml.jackson.databind.node.TextNode.valueOf(words),
            "langfuse");
        String comment = Chat.text(side, "comment");
        if (comment != null) {
          draft.addFeedback(comment);
        }
      }
    } else {
      draft.subject = text(side, "user_id", "userId");
      draft.conversation = text(side, "session_id", "sessionId");
      draft.tag("release", Chat.text(side, "release"));
    }
  }
}
