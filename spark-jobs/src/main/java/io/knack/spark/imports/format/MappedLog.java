package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Any JSON object or CSV row, by the user's map from fields to paths. A path is a column's name, or
 * names and list indices with dots between ({@code request.messages.0.content}).
 */
public final class MappedLog implements LogReader {
  /** What a map may name, beside {@code tag.NAME}. */
  public static final List<String> FIELDS =
      List.of(
          "id",
          "prompt",
          "system",
          "completion",
          "reference",
          "score",
          "verified",
          "time",
          "subject",
          "tenant",
          "conversation",
          "model",
          "feedback",
          "prompt_tokens",
          "completion_tokens",
          "cost",
          "latency_ms",
          "served_by");

  private final Map<String, String> paths;

  public MappedLog(Map<String, String> paths) {
    this.paths = new TreeMap<>(paths);
  }

  /** The problems of a map; empty when it is right. */
  public static List<String> problems(Map<String, String> paths) {
    List<String> problems = new ArrayList<>();
    for (String field : paths.keySet()) {
      if (!FIELDS.contains(field) && !field.matches("tag\\..+")) {
        problems.add(
            "map names '"
                + field
                + "', expected one of "
                + String.join(", ", FIELDS)
                + ", tag.NAME");
      }
    }
    if (!paths.isEmpty() && !paths.containsKey("prompt")) {
      problems.add("map must name the prompt, as prompt=PATH");
    }
    return problems;
  }

  @Override
  public boolean recognises(JsonNode record) {
    return record.isObject();
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    JsonNode prompt = at(record, "prompt");
    if (prompt.isMissingNode() || prompt.isNull()) {
      throw new Unreadable("no value at the map's prompt");
    }
    Draft draft = new Draft();
    String system = text(record, "system");
    if (system != null) {
      draft.messages.add(Message.system(system));
    }
    JsonNode decoded =
        prompt.isTextual() && !prompt.textValue().startsWith("[{") ? prompt : Chat.decoded(prompt);
    draft.messages.addAll(
        decoded.isNumber() ? List.of(Message.user(decoded.asText())) : Chat.messages(decoded));
    draft.id = text(record, "id");
    JsonNode completion = at(record, "completion");
    draft.completion = completion.isNumber() ? completion.asText() : Chat.answer(completion);
    if (draft.completion == null) {
      ShareGptLog.takeAnswer(draft);
    }
    draft.reference = text(record, "reference");
    draft.occurredAt = Times.of(at(record, "time"));
    draft.subject = text(record, "subject");
    draft.tenant = text(record, "tenant");
    draft.conversation = text(record, "conversation");
    draft.model = text(record, "model");
    draft.servedBy = text(record, "served_by");
    draft.feedback = text(record, "feedback");
    draft.promptTokens = count(record, "prompt_tokens");
    draft.completionTokens = count(record, "completion_tokens");
    draft.cost = number(record, "cost");
    Double latency = number(record, "latency_ms");
    draft.latencyMicros = latency == null ? null : Math.round(latency * 1000);
    outcome(record, draft);
    paths.forEach(
        (field, path) -> {
          if (field.startsWith("tag.")) {
            draft.tag(field.substring(4), scalar(at(record, field)));
          }
        });
    sink.interaction(draft);
  }

  private void outcome(JsonNode record, Draft draft) throws Unreadable {
    Double score = number(record, "score");
    if (score != null) {
      if (!(score >= 0 && score <= 1)) {
        throw new Unreadable("score outside 0 to 1");
      }
      draft.score = score;
      draft.outcome = score >= 1 ? Outcome.VERIFIED : score <= 0 ? Outcome.FAILED : Outcome.UNKNOWN;
      draft.outcomeSource = draft.outcome == Outcome.UNKNOWN ? null : "log:score";
    }
    String verified = text(record, "verified");
    if (verified != null) {
      draft.outcome = Verdicts.verdict(verified);
      if (draft.outcome == Outcome.UNKNOWN) {
        throw new Unreadable("verified is neither yes nor no");
      }
      draft.outcomeSource = "log:verified";
    }
  }

  private long count(JsonNode record, String field) throws Unreadable {
    Double number = number(record, field);
    return number == null ? 0 : Math.max(0, Math.round(number));
  }

  private @Nullable Double number(JsonNode record, String field) throws Unreadable {
    String text = text(record, field);
    if (text == null) {
      return null;
    }
    try {
      double number = Double.parseDouble(text.strip());
      if (Double.isFinite(number)) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw new Unreadable(field + " is not a number");
  }

  private @Nullable String text(JsonNode record, String field) {
    return scalar(at(record, field));
  }

  private static @Nullable String scalar(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    String text = value.isValueNode() ? value.asText() : value.toString();
    return text.isBlank() ? null : text;
  }

  private JsonNode at(JsonNode record, String field) {
    String path = paths.get(field);
    if (path == null) {
      return com.fasterxml.jackson.databind.node.MissingNode.getInstance();
    }
    if (record.has(path)) {
      return record.get(path);
    }
    JsonNode node = record;
    for (String step : List.of(path.split("[./]", -1))) {
      if (!step.isEmpty()) {
        node =
            node.isArray() && step.matches("\\d{1,6}")
                ? node.path(Integer.parseInt(step))
                : node.path(step);
        node = node.isTextual() ? nested(node) : node;
      }
    }
    return node;
  }

  /** JSON within a string is opened only where the path goes on into it. */
  private static JsonNode nested(JsonNode node) {
    String text = node.textValue().strip();
    return text.startsWith("{") ? Chat.decoded(node) : node;
  }
}
