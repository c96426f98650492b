package io.knack.llm.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Message;
import io.knack.contracts.ToolCall;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.text.jinja.JinjaTemplate;
import io.knack.llm.text.jinja.JinjaTemplate.Span;
import io.knack.llm.text.jinja.Limits;
import io.knack.llm.text.jinja.TemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint's own chat template: turns a conversation into the text that the model was trained
 * on, character for character what transformers' {@code apply_chat_template} gives. Immutable.
 */
public final class ChatTemplate {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> SPECIAL_TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private final String origin;
  private final JinjaTemplate template;
  private final Map<String, Object> standing;

  /**
   * A conversation without an open turn, and what of it the assistant said.
   *
   * @param assistant one span for each assistant turn, in UTF-16 units of the text: what the model
   *     generates after the turn's header, its end-of-turn token included
   */
  public record Transcript(String text, List<Span> assistant) {}

  private ChatTemplate(String origin, JinjaTemplate template, Map<String, Object> standing) {
    this.origin = origin;
    this.template = template;
    this.standing = standing;
  }

  /**
   * A template from its text.
   *
   * @param origin what error messages call it
   * @param variables what every rendering sees, such as {@code bos_token}
   * @param clock what {@code strftime_now} tells the time by
   */
  public static ChatTemplate of(
      String origin, String source, Map<String, Object> variables, Clock clock) {
    try {
      JinjaTemplate parsed = JinjaTemplate.parse(source, Limits.DEFAULT, clock);
      return new ChatTemplate(origin, parsed, new LinkedHashMap<>(variables));
    } catch (TemplateException e) {
      throw new ContractException("the chat template of " + origin + ": " + e.getMessage(), e);
    }
  }

  /** The template of a checkpoint directory; empty where it has none. */
  public static Optional<ChatTemplate> find(Path directory, Clock clock) {
    return find(directory, "default", clock);
  }

  /**
   * @param name of a template in a checkpoint that has several, such as {@code tool_use}
   */
  public static Optional<ChatTemplate> find(Path directory, String name, Clock clock) {
    JsonNode config = json(directory.resolve("tokenizer_config.json"));
    Map<String, String> sources = new LinkedHashMap<>();
    JsonNode inConfig = config.path("chat_template");
    if (inConfig.isTextual()) {
      sources.put("default", inConfig.textValue());
    } else {
      inConfig.forEach(
          entry -> sources.put(entry.path("name").asText(), entry.path("template").asText()));
    }
    // Files win over the config, as in transformers.
    read(directory.resolve("chat_template.jinja")).ifPresent(text -> sources.put("default", text));
    read(directory.resolve("additional_chat_templates").resolve(name + ".jinja"))
        .ifPresent(text -> sources.put(name, text));
    String source = sources.get(name);
    return source == null
        ? Optional.empty()
        : Optional.of(of(directory.toString(), source, specialTokens(directory, config), clock));
  }

  private static Map<String, Object> specialTokens(Path directory, JsonNode config) {
    JsonNode map = json(directory.resolve("special_tokens_map.json"));
    Map<String, Object> tokens = new LinkedHashMap<>();
    for (String name : SPECIAL_TOKENS) {
      JsonNode token = config.hasNonNull(name) ? config.path(name) : map.path(name);
      String text = token.isTextual() ? token.textValue() : token.path("content").textValue();
      if (text != null) {
        tokens.put(name, text);
      }
    }
    return tokens;
  }

  private static Optional<String> read(Path file) {
    try {
      return Files.isRegularFile(file) ? Optional.of(Files.readString(file)) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
    }
  }

  private static JsonNode json(Path file) {
    try {
      return JSON.readTree(read(file).orElse("{}"));
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is no JSON: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * The conversation with the assistant's turn opened: what a model continues.
   *
   * @param tools a JSON array as text; null for none
   * @param variables further template variables, such as {@code enable_thinking}
   */
  public String prompt(
      List<Message> messages, @Nullable String tools, Map<String, Object> variables) {
    return render(wire(messages), tools(tools), variables, true).text();
  }

  /** The conversation as it stands, without an opened turn. */
  public String text(
      List<Message> messages, @Nullable String tools, Map<String, Object> variables) {
    return render(wire(messages), tools(tools), variables, false).text();
  }

  /**
   * The conversation as it stands and what in it the assistant said: by the template's own {@code
   * {% generation %}} blocks where it has them, otherwise found by rendering variations of it.
   *
   * @throws ContractException where a template hides a turn so that it cannot be found
   */
  public Transcript transcript(
      List<Message> messages, @Nullable String tools, Map<String, Object> variables) {
    List<Map<String, Object>> wire = wire(messages);
    Object parsedTools = tools(tools);
    JinjaTemplate.Rendered whole = render(wire, parsedTools, variables, false);
    if (!whole.generated().isEmpty()) {
      return new Transcript(whole.text(), whole.generated());
    }
    AssistantSpans spans =
        new AssistantSpans(
            (turns, open) -> render(turns, parsedTools, variables, open).text(), origin);
    return new Transcript(whole.text(), spans.find(wire, whole.text()));
  }

  private JinjaTemplate.Rendered render(
      List<Map<String, Object>> messages,
      @Nullable Object tools,
      Map<String, Object> variables,
      boolean openTurn) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>(standing);
    all.putAll(variables);
    all.put("messages", messages);
    all.put("tools", tools);
    all.put("documents", null);
    all.put("add_generation_prompt", openTurn);
    try {
      return template.render(all);
    } catch (TemplateException e) {
      String what =
          e.kind() == TemplateException.Kind.RAISED
              ? "the chat template of " + origin + " refuses the conversation: "
              : "the chat template of " + origin + ": ";
      throw new ContractException(what + e.getMessage(), e);
    }
  }

  /** As chat APIs write messages; arguments of calls as objects, which templates expect. */
  private static List<Map<String, Object>> wire(List<Message> messages) {
    List<Map<String, Object>> wire = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> turn = new LinkedHashMap<>();
      turn.put("role", message.role().wire());
      turn.put("content", message.content());
      if (!message.toolCalls().isEmpty()) {
        turn.put("tool_calls", message.toolCalls().stream().map(ChatTemplate::wire).toList());
      }
      if (message.toolCallId() != null) {
        turn.put("tool_call_id", message.toolCallId());
      }
      wire.add(turn);
    }
    return wire;
  }

  private static Map<String, Object> wire(ToolCall call) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", call.name());
    function.put("arguments", parse(call.arguments(), "the arguments of the call " + call.id()));
    Map<String, Object> wire = new LinkedHashMap<>();
    wire.put("type", "function");
    wire.put("id", call.id());
    wire.put("function", function);
    return wire;
  }

  private static @Nullable Object tools(@Nullable String tools) {
    if (tools == null || tools.isBlank()) {
      return null;
    }
    Object parsed = parse(tools, "tools");
    if (!(parsed instanceof List<?> list)) {
      throw new PlanException("tools: expected a JSON array, found " + tools);
    }
    return list.isEmpty() ? null : list;
  }

  private static Object parse(String json, String what) {
    try {
      Object value = JSON.readValue(json, Object.class);
      if (value == null) {
        throw new PlanException(what + ": expected JSON, found null");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw new PlanException(what + ": expected JSON, found " + json);
    }
  }
}
