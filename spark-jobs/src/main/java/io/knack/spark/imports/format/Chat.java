package io.knack.spark.imports.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Message;
import io.knack.contracts.Role;
import io.knack.contracts.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Messages and answers in the shapes that chat APIs and their tracers give them. */
final class Chat {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** More is a mistake of the log, and sums must not overflow. */
  private static final long MOST_TOKENS = 1_000_000_000_000L;

  private static final Pattern NUMBER = Pattern.compile("[-+]?\\d+(\\.\\d*)?([eE][-+]?\\d{1,3})?");

  private Chat() {}

  /** A list of messages, a single message, or the text of a user. */
  static List<Message> messages(JsonNode value) throws Unreadable {
    List<Message> messages = new ArrayList<>();
    if (value.isTextual()) {
      messages.add(Message.user(value.textValue()));
    } else if (value.isArray()) {
      for (JsonNode element : value) {
        messages.add(element.isTextual() ? Message.user(element.textValue()) : message(element));
      }
    } else if (value.path("messages").isArray()) {
      return messages(value.get("messages"));
    } else if (value.isObject()) {
      messages.add(message(value));
    } else {
      throw new Unreadable("messages are neither a list nor text");
    }
    return messages;
  }

  static Message message(JsonNode value) throws Unreadable {
    String name = text(value, "role");
    if (name == null) {
      name =
          switch (String.valueOf(text(value, "type"))) {
            case "function_call" -> "assistant";
            case "function_call_output" -> "tool";
            default -> text(value, "type");
          };
    }
    if (name == null) {
      throw new Unreadable("message without a role");
    }
    Role role;
    try {
      role = Role.of(name.equals("ai") ? "assistant" : name);
    } catch (IllegalArgumentException e) {
      throw new Unreadable("message with an unknown role");
    }
    JsonNode body =
        value.has("content")
            ? value.get("content")
            : value.has("parts") ? value.get("parts") : value.path("output");
    List<ToolCall> calls = new ArrayList<>();
    StringBuilder content = new StringBuilder();
    content(body, content, calls);
    toolCalls(value, calls);
    String answered = text(value, "tool_call_id");
    if (answered == null) {
      answered = text(value, "call_id");
    }
    if (answered == null && role == Role.TOOL && body.isArray()) {
      answered = text(body.path(0), "id");
    }
    return new Message(role, content.toString(), calls, role == Role.TOOL ? answered : null);
  }

  /** The text of a content: a string, parts, or nothing. */
  static String content(JsonNode body) throws Unreadable {
    StringBuilder content = new StringBuilder();
    content(body, content, new ArrayList<>());
    return content.toString();
  }

  private static void content(JsonNode body, StringBuilder content, List<ToolCall> calls)
      throws Unreadable {
    if (body.isMissingNode() || body.isNull()) {
      return;
    }
    if (body.isValueNode()) {
      content.append(body.asText());
      return;
    }
    if (body.isArray()) {
      for (JsonNode part : body) {
        if (!content.isEmpty() && part.isTextual()) {
          content.append('\n');
        }
        content(part, content, calls);
      }
      return;
    }
    String type = String.valueOf(text(body, "type"));
    switch (type) {
      case "text", "input_text", "output_text", "refusal" -> {
        if (!content.isEmpty()) {
          content.append('\n');
        }
        JsonNode words =
            body.has("text")
                ? body.get("text")
                : body.has("content") ? body.get("content") : body.path("refusal");
        content.append(words.isObject() ? words.path("value").asText() : words.asText());
      }
      case "reasoning", "thinking" -> {}
      case "tool_call", "tool_use" ->
          calls.add(
              new ToolCall(
                  String.valueOf(body.path("id").asText()),
                  body.path("name").asText(),
                  jsonText(body.has("arguments") ? body.get("arguments") : body.path("input"))));
      case "tool_call_response", "tool_result" ->
          content(
              body.has("response")
                  ? body.get("response")
                  : body.has("result") ? body.get("result") : body.path("content"),
              content,
              calls);
      case "null" -> content.append(jsonText(body));
      default -> {
        if (!content.isEmpty()) {
          content.append('\n');
        }
        content.append('[').append(type).append(']');
      }
    }
  }

  private static void toolCalls(JsonNode value, List<ToolCall> calls) {
    for (JsonNode call : value.path("tool_calls")) {
      JsonNode function = call.has("function") ? call.get("function") : call;
      calls.add(
          new ToolCall(
              call.path("id").asText(),
              function.path("name").asText(),
              jsonText(
                  function.has("arguments") ? function.get("arguments") : function.path("args"))));
    }
    JsonNode legacy = value.path("function_call");
    if (legacy.isObject()) {
      calls.add(new ToolCall("", legacy.path("name").asText(), jsonText(legacy.path("arguments"))));
    } else if ("function_call".equals(text(value, "type"))) {
      calls.add(
          new ToolCall(
              value.path("call_id").asText(),
              value.path("name").asText(),
              jsonText(value.path("arguments"))));
    }
  }

  /**
   * The answer in a response: chat choices, the output of a response API, a message, or text. Null
   * when there is none.
   */
  static @Nullable String answer(JsonNode response) throws Unreadable {
    if (response.isNull() || response.isMissingNode()) {
      return null;
    }
    if (response.isTextual()) {
      return response.textValue();
    }
    JsonNode choice = response.path("choices").path(0);
    if (choice.isObject()) {
      JsonNode message = choice.has("message") ? choice.get("message") : choice.path("delta");
      return message.isObject() ? spoken(message) : choice.path("text").asText(null);
    }
    if (response.path("output").isArray()) {
      return answer(response.get("output"));
    }
    if (response.path("output_text").isTextual()) {
      return response.get("output_text").textValue();
    }
    if (response.isArray()) {
      StringBuilder all = new StringBuilder();
      boolean found = false;
      for (JsonNode element : response) {
        if (element.path("type").asText().equals("reasoning")) {
          continue;
        }
        String part = element.isTextual() ? element.textValue() : spoken(element);
        if (part != null) {
          all.append(found ? "\n" : "").append(part);
          found = true;
        }
      }
      return found ? all.toString() : null;
    }
    if (response.path("messages").isArray() && !response.get("messages").isEmpty()) {
      JsonNode last = response.get("messages").get(response.get("messages").size() - 1);
      return spoken(last);
    }
    if (response.has("content") || response.has("tool_calls") || response.has("parts")) {
      return spoken(response);
    }
    return response.isObject() && !response.isEmpty() ? jsonText(response) : null;
  }

  /** What a message says; its tool calls as JSON when it says nothing. */
  static @Nullable String spoken(JsonNode message) throws Unreadable {
    List<ToolCall> calls = new ArrayList<>();
    StringBuilder content = new StringBuilder();
    content(
        message.has("content") ? message.get("content") : message.path("parts"), content, calls);
    toolCalls(message, calls);
    if (content.isEmpty() && !calls.isEmpty()) {
      return spoken(calls);
    }
    boolean silent = content.isEmpty() && !message.has("content") && !message.has("parts");
    return silent ? null : content.toString();
  }

  private static String spoken(List<ToolCall> calls) {
    return jsonText(JSON.valueToTree(calls));
  }

  /** JSON as compact text; text as it is. */
  static String jsonText(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    return value.isTextual() ? value.textValue() : value.toString();
  }

  /** A value that may itself be JSON in a string, as tracers write it. */
  static JsonNode decoded(JsonNode value) {
    if (value.isTextual()) {
      String text = value.textValue().strip();
      if (text.startsWith("{") || text.startsWith("[") || text.startsWith("\"")) {
        try {
          return JSON.readTree(text);
        } catch (JsonProcessingException e) {
          return value;
        }
      }
    }
    return value;
  }

  /** A text field; null when missing, null or empty. */
  static @Nullable String text(JsonNode object, String field) {
    JsonNode value = object.path(field);
    if (!value.isValueNode() || value.isNull()) {
      return null;
    }
    String text = value.asText();
    return text.isEmpty() ? null : text;
  }

  /** The first of several fields that has something. */
  static @Nullable String firstText(JsonNode object, String... fields) {
    for (String field : fields) {
      String text = text(object, field);
      if (text != null) {
        return text;
      }
    }
    return null;
  }

  /** A count, 0 where it is missing or nonsense. */
  static long count(JsonNode object, String... fields) {
    for (String field : fields) {
      JsonNode value = object.path(field);
      if (value.isNumber() || (value.isTextual() && value.textValue().matches("\\d{1,15}"))) {
        return Math.min(MOST_TOKENS, Math.max(0, value.asLong()));
      }
    }
    return 0;
  }

  /** A finite number, in text too; null where there is none. */
  static @Nullable Double number(JsonNode object, String... fields) {
    for (String field : fields) {
      String text = text(object, field);
      if (text != null && text.length() < 40 && NUMBER.matcher(text).matches()) {
        double number = Double.parseDouble(text);
        if (Double.isFinite(number)) {
          return number;
        }
      }
    }
    return null;
  }

  /** Token counts of an OpenAI-like usage object. */
  static void usage(JsonNode usage, Draft draft) {
    draft.promptTokens = count(usage, "prompt_tokens", "input_tokens", "input");
    draft.completionTokens = count(usage, "completion_tokens", "output_tokens", "output");
    long cached = count(usage.path("prompt_tokens_details"), "cached_tokens");
    if (cached == 0) {
      cached = count(usage.path("input_tokens_details"), "cached_tokens");
    }
    if (cached == 0) {
      cached = count(usage, "cache_read_input_tokens", "input_cached_tokens");
    }
    draft.cachedPromptTokens = Math.min(cached, draft.promptTokens);
  }
}
