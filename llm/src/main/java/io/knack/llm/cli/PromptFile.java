package io.knack.llm.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Message;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.Prompt;
import io.knack.llm.text.Utf8Lines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file of prompts, a JSON object a line: one of {@code prompt}, {@code prompt_ids} and {@code
 * messages} as chat APIs write them, the latter with {@code tools} and {@code
 * chat_template_kwargs}; and an {@code adapter}. Other keys are refused.
 *
 * @param vocabulary of the model that will answer; token ids lie below it
 */
record PromptFile(Path file, Plain plain, int vocabulary) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** What a line may hold; {@code id} is the user's own name for it. */
  private static final List<String> KEYS =
      List.of("prompt", "prompt_ids", "messages", "tools", "chat_template_kwargs", "adapter", "id");

  /** What a plain text is. */
  enum Plain {
    CONTINUED,
    /** A user's message. */
    AS_USER
  }

  /**
   * One line.
   *
   * @param where starts messages about it
   */
  record Line(String where, Prompt prompt, @Nullable String adapter) {}

  /**
   * Reads all lines; blank ones are left out.
   *
   * @throws ContractException naming the line and what is wrong with it
   * @throws PlanException when the file cannot be read
   */
  List<Line> read() throws IOException {
    if (!Files.exists(file)) {
      throw new ContractException(file + ": no such file");
    }
    List<Line> all = new ArrayList<>();
    try (Utf8Lines lines = Utf8Lines.open(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (!line.isBlank()) {
          all.add(new Reader(lines.where(), vocabulary).line(line, plain));
        }
      }
    }
    return all;
  }

  /** Reads one line; {@code where} starts every message. */
  private record Reader(String where, int vocabulary) {
    Line line(String text, Plain plain) {
      JsonNode node;
      try {
        node = JSON.readTree(text);
      } catch (JsonProcessingException e) {
        throw new ContractException(where + "not JSON: " + e.getOriginalMessage(), e);
      }
      if (!node.isObject()) {
        throw wrong("is " + node + ", expected an object");
      }
      if (!StandardCharsets.UTF_8.newEncoder().canEncode(node.toString())) {
        throw wrong("holds half of a surrogate pair (\\ud800 to \\udfff alone), which is no text");
      }
      for (Map.Entry<String, JsonNode> field : node.properties()) {
        if (!KEYS.contains(field.getKey())) {
          throw wrong("has an unknown key '" + field.getKey() + "', expected some of " + KEYS);
        }
      }
      JsonNode adapter = node.path("adapter");
      if (node.hasNonNull("adapter") && !adapter.isTextual()) {
        throw wrong("adapter is " + adapter + ", expected a name");
      }
      return new Line(where, prompt(node, plain), adapter.isTextual() ? adapter.textValue() : null);
    }

    private ContractException wrong(String what) {
      return new ContractException(where + what);
    }

    private Prompt prompt(JsonNode node, Plain plain) {
      List<String> given =
          List.of("prompt", "prompt_ids", "messages").stream().filter(node::hasNonNull).toList();
      if (given.isEmpty()) {
        throw wrong("has none of prompt, prompt_ids and messages");
      }
      if (given.size() > 1) {
        throw wrong("has " + String.join(" and ", given) + ", expected one of them");
      }
      JsonNode value = node.path(given.get(0));
      return switch (given.get(0)) {
        case "prompt" -> {
          if (!value.isTextual()) {
            throw wrong("prompt is " + value + ", expected text");
          }
          yield plain == Plain.AS_USER
              ? new Prompt.Chat(List.of(Message.user(value.textValue())))
              : new Prompt.Text(value.textValue());
        }
        case "prompt_ids" -> new Prompt.Ids(ids(value));
        default -> chat(node, value);
      };
    }

    private List<Integer> ids(JsonNode value) {
      if (!value.isArray()) {
        throw wrong("prompt_ids is " + value + ", expected a list of token ids");
      }
      List<Integer> ids = new ArrayList<>();
      for (JsonNode id : value) {
        if (!id.isInt()) {
          throw wrong("prompt_ids holds " + id + ", expected token ids");
        }
        if (id.intValue() < 0 || id.intValue() >= vocabulary) {
          throw wrong(
              "prompt_ids holds " + id + ", expected 0 to " + (vocabulary - 1) + " for this model");
        }
        ids.add(id.intValue());
      }
      return ids;
    }

    private Prompt.Conversation chat(JsonNode node, JsonNode turns) {
      if (!turns.isArray()) {
        throw wrong("messages is " + turns + ", expected a list");
      }
      List<Map<String, @Nullable Object>> messages = new ArrayList<>();
      turns.forEach(turn -> messages.add(message(turn)));
      JsonNode tools = node.path("tools");
      if (node.hasNonNull("tools") && !tools.isArray()) {
        throw wrong("tools is " + tools + ", expected a list");
      }
      JsonNode variables = node.path("chat_template_kwargs");
      if (node.hasNonNull("chat_template_kwargs") && !variables.isObject()) {
        throw wrong("chat_template_kwargs is " + variables + ", expected an object");
      }
      return new Prompt.Conversation(
          messages,
          tools.isArray() ? JSON.convertValue(tools, new TypeReference<List<Object>>() {}) : null,
          variables.isObject()
              ? JSON.convertValue(variables, new TypeReference<Map<String, Object>>() {})
              : Map.of());
    }

    /** All keys as they are, save that parts become text; the template knows its roles. */
    private Map<String, @Nullable Object> message(JsonNode turn) {
      if (!turn.path("role").isTextual()) {
        throw wrong("a message is " + turn + ", expected a role");
      }
      JsonNode calls = turn.path("tool_calls");
      if (turn.hasNonNull("tool_calls") && !calls.isArray()) {
        throw wrong("tool_calls is " + calls + ", expected a list");
      }
      calls.forEach(this::call);
      String content = content(turn, calls.isEmpty());
      Map<String, @Nullable Object> message = new LinkedHashMap<>();
      turn.properties()
          .forEach(e -> message.put(e.getKey(), JSON.convertValue(e.getValue(), Object.class)));
      if (content != null) {
        message.put("content", content);
      }
      return message;
    }

    /** Text, or parts that are text; a turn that calls tools may go without. */
    private @Nullable String content(JsonNode turn, boolean needed) {
      JsonNode content = turn.path("content");
      if (content.isTextual()) {
        return content.textValue();
      }
      if (content.isArray()) {
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
          if (!part.path("text").isTextual()) {
            throw wrong("a part of a message is " + part + ", expected text");
          }
          text.append(part.path("text").textValue());
        }
        return text.toString();
      }
      if (needed || !(content.isNull() || content.isMissingNode())) {
        throw wrong("a message is " + turn + ", expected a role and a content, both text");
      }
      return null;
    }

    private void call(JsonNode call) {
      JsonNode function = call.path("function");
      JsonNode arguments = function.path("arguments");
      if (!function.path("name").isTextual() || !(arguments.isTextual() || arguments.isObject())) {
        throw wrong("a tool call is " + call + ", expected a function's name and arguments");
      }
    }
  }
}
