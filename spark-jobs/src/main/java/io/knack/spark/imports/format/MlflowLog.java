package io.knack.spark.imports.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * MLflow traces in the layout of trace schema 3: ids in base64, attribute values JSON within JSON.
 * Other layouts are refused by name. Previews are cut at 1,000 characters and never read.
 */
final class MlflowLog implements LogReader {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public boolean recognises(JsonNode record) {
    return record.path("info").isObject() && record.has("data");
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    JsonNode info = record.get("info");
    JsonNode data = record.get("data");
    JsonNode spans = data.isTextual() ? Chat.decoded(data).path("spans") : data.path("spans");
    if (info.has("request_id") && !info.has("trace_id")) {
      throw new Unreadable("MLflow trace of schema 2 (info.request_id); export it with MLflow 3");
    }
    if (!spans.isArray() || spans.isEmpty()) {
      throw new Unreadable("MLflow trace without spans; previews are not content");
    }
    List<JsonNode> calls = new ArrayList<>();
    JsonNode root = spans.get(0);
    for (JsonNode span : spans) {
      if (span.has("context")) {
        throw new Unreadable("MLflow trace of schema 2 (span.context); export it with MLflow 3");
      }
      if (span.has("otel_trace_id")) {
        throw new Unreadable("MLflow trace of schema 4 (otel_trace_id) is not read yet");
      }
      String type = attribute(span, "mlflow.spanType").asText();
      if (type.equals("LLM") || type.equals("CHAT_MODEL")) {
        calls.add(span);
      }
      if (span.path("parent_span_id").asText().isEmpty() || span.path("parent_span_id").isNull()) {
        root = span;
      }
    }
    if (calls.isEmpty()) {
      calls.add(root);
    }
    for (JsonNode call : calls) {
      Draft draft = draft(info, call);
      if (calls.size() > 1) {
        draft.id = draft.id + ":" + call.path("span_id").asText();
      }
      sink.interaction(draft);
    }
  }

  private static Draft draft(JsonNode info, JsonNode span) throws Unreadable {
    JsonNode inputs = attribute(span, "mlflow.spanInputs");
    if (inputs.isMissingNode() || inputs.isNull()) {
      throw new Unreadable("MLflow span without mlflow.spanInputs; previews are not content");
    }
    Draft draft = new Draft();
    draft.id = Chat.text(info, "trace_id");
    draft.messages.addAll(messages(inputs));
    draft.completion = Chat.answer(attribute(span, "mlflow.spanOutputs"));
    draft.occurredAt =
        span.has("start_time_unix_nano")
            ? Times.of(span.get("start_time_unix_nano"))
            : Times.of(info.path("request_time"));
    if (span.has("start_time_unix_nano") && span.has("end_time_unix_nano")) {
      long nanos =
          span.get("end_time_unix_nano").asLong() - span.get("start_time_unix_nano").asLong();
      draft.latencyMicros = nanos < 0 ? null : nanos / 1000;
    }
    JsonNode metadata = info.path("trace_metadata");
    Chat.usage(attribute(span, "mlflow.chat.tokenUsage"), draft);
    if (draft.promptTokens == 0 && draft.completionTokens == 0) {
      Chat.usage(Chat.decoded(metadata.path("mlflow.trace.tokenUsage")), draft);
    }
    draft.cost = Chat.number(attribute(span, "mlflow.llm.cost"), "total_cost");
    draft.model = attribute(span, "mlflow.llm.model").asText(null);
    draft.conversation = Chat.text(metadata, "mlflow.trace.session");
    draft.subject = Chat.text(metadata, "mlflow.trace.user");
    JsonNode tools = attribute(span, "mlflow.chat.tools");
    draft.tools = tools.isArray() && !tools.isEmpty() ? tools.toString() : null;
    draft.tag("state", Chat.text(info, "state"));
    draft.tag("name", Chat.text(info.path("tags"), "mlflow.traceName"));
    for (JsonNode assessment : info.path("assessments")) {
      String name = Chat.text(assessment, "assessment_name");
      Verdicts.apply(draft, name, assessment.path("feedback").path("value"), "mlflow");
      JsonNode expected = assessment.path("expectation").path("value");
      if (expected.isValueNode() && !expected.isNull()) {
        draft.reference = expected.asText();
      }
    }
    return draft;
  }

  private static List<Message> messages(JsonNode inputs) throws Unreadable {
    JsonNode found = inputs;
    if (inputs.isObject() && !inputs.has("messages") && !inputs.has("role")) {
      found =
          inputs.has("input")
              ? inputs.get("input")
              : inputs.has("prompt")
                  ? inputs.get("prompt")
                  : inputs.has("question") ? inputs.get("question") : inputs.path("query");
    }
    return found.isMissingNode()
            || (found.isObject() && !found.has("messages") && !found.has("role"))
        ? List.of(Message.user(inputs.toString()))
        : Chat.messages(found);
  }

  /** An attribute's value is JSON in a string: decoded once. */
  private static JsonNode attribute(JsonNode span, String name) throws Unreadable {
    JsonNode value = span.path("attributes").path(name);
    if (!value.isTextual()) {
      return value;
    }
    try {
      return JSON.readTree(value.textValue());
    } catch (JsonProcessingException e) {
      throw new Unreadable("MLflow attribute " + name + " is not JSON within JSON");
    }
  }
}
