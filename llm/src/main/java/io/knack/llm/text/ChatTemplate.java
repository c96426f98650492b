package io.knack.llm.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Message;
import io.knack.contracts.ToolCall;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.Prompt;
import io.knack.llm.checkpoint.SmallJson;
import io.knack.llm.text.jinja.JinjaTemplate;
import io.knack.llm.text.jinja.JinjaTemplate.Span;
import io.knack.llm.text.jinja.Limits;
import io.knack.llm.text.jinja.TemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint's own chat template: turns a conversation into the text that the model was trained
 * on, character for character what transformers' {@code apply_chat_template} gives. A checkpoint
 * may have a template of its own for conversations with tools, which those then take. Immutable.
 */
public final class ChatTemplate {
  /** The directory of a checkpoint's named templates. */
  public static final String ADDITIONAL = "additional_chat_templates";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DEFAULT = "default";
  private static final String ENDING = ".jinja";
  private static final String WITH_TOOLS = "tool_use";

  /** Where reasoning is looked for, the first one found wins, and where gpt-oss reads it. */
  private static final List<String> REASONING =
      List.of("reasoning_content", "thinking", "reasoning");

  private final String origin;
  private final Map<String, String> sources;
  private final Map<String, JinjaTemplate> parsed = new ConcurrentHashMap<>();
  private final Map<String, Object> standing;
  private final Clock clock;

  /**
   * A conversation without an open turn, and what of it the assistant said.
   *
   * @param assistant one span for each assistant turn, in UTF-16 units of the text: what the model
   *     generates after the turn's header, its end-of-turn token included
   */
  public record Transcript(String text, List<Span> assistant) {}

  private ChatTemplate(
      String origin, Map<String, String> sources, Map<String, Object> standing, Clock clock) {
    this.origin = origin;
    this.sources = Map.copyOf(sources);
    this.standing = new LinkedHashMap<>(standing);
    this.clock = clock;
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
    ChatTemplate one = new ChatTemplate(origin, Map.of(DEFAULT, source), variables, clock);
    one.named(DEFAULT);
    return one;
  }

  /**
   * What a checkpoint directory has: its {@code default}, and {@code tool_use} for conversations
   * with tools where there is one. Empty where it has no template.
   */
  public static Optional<ChatTemplate> find(Path directory, Clock clock) {
    JsonNode config = SmallJson.optional(directory.resolve("tokenizer_config.json"));
    Map<String, String> sources = sources(directory, config);
    if (sources.isEmpty()) {
      return Optional.empty();
    }
    ChatTemplate found =
        new ChatTemplate(
            directory.toString(), sources, TokenizerSettings.of(directory).named(), clock);
    found.named(sources.containsKey(DEFAULT) ? DEFAULT : WITH_TOOLS);
    return Optional.of(found);
  }

  /**
   * One template for all conversations, with tools or without.
   *
   * @param name of a template in a checkpoint that has several, such as {@code tool_use}
   */
  public static Optional<ChatTemplate> find(Path directory, String name, Clock clock) {
    JsonNode config = SmallJson.optional(directory.resolve("tokenizer_config.json"));
    String source = sources(directory, config).get(name);
    return source == null
        ? Optional.empty()
        : Optional.of(
            of(directory.toString(), source, TokenizerSettings.of(directory).named(), clock));
  }

  /** By name. Where there are files, they are all there is, as in transformers. */
  private static Map<String, String> sources(Path directory, JsonNode config) {
    Map<String, String> files = new TreeMap<>();
    read(directory.resolve("chat_template.jinja")).ifPresent(text -> files.put(DEFAULT, text));
    for (Path file : templates(directory.resolve(ADDITIONAL))) {
      String name = Objects.requireNonNull(file.getFileName()).toString();
      read(file)
          .ifPresent(text -> files.put(name.substring(0, name.length() - ENDING.length()), text));
    }
    if (!files.isEmpty()) {
      return files;
    }
    Map<String, String> sources = new TreeMap<>();
    JsonNode inConfig = config.path("chat_template");
    if (inConfig.isTextual()) {
      sources.put(DEFAULT, inConfig.textValue());
    } else if (inConfig.isObject()) {
      inConfig.properties().forEach(e -> sources.put(e.getKey(), e.getValue().asText()));
    } else {
      inConfig.forEach(
          entry -> sources.put(entry.path("name").asText(), entry.path("template").asText()));
    }
    return sources;
  }

  private static List<Path> templates(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(ENDING)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(directory + " cannot be read", e);
    }
  }

  private static Optional<String> read(Path file) {
    try {
      return Files.isRegularFile(file) ? Optional.of(Files.readString(file)) : Optional.empty();
    } catch (CharacterCodingException e) {
      throw new ContractException(file + ": is not UTF-8", e);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
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

  /**
   * The conversation with the assistant's turn opened. Keys of messages whose value is null are
   * left out and reasoning is shown under each name that templates read, as transformers does.
   */
  public String prompt(Prompt.Conversation conversation) {
    List<Map<String, Object>> wire =
        conversation.messages().stream().map(ChatTemplate::given).toList();
    List<?> tools = conversation.tools();
    exact(wire, "messages");
    exact(tools, "tools");
    return render(wire, tools, conversation.variables(), true).text();
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
    exact(variables, "the template's variables");
    Map<String, @Nullable Object> all = new LinkedHashMap<>(standing);
    all.putAll(variables);
    all.put("messages", messages);
    all.put("tools", tools);
    all.putIfAbsent("documents", null);
    all.put("add_generation_prompt", openTurn);
    JinjaTemplate template =
        named(tools != null && sources.containsKey(WITH_TOOLS) ? WITH_TOOLS : DEFAULT);
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

  private JinjaTemplate named(String name) {
    String source = sources.get(name);
    if (source == null) {
      throw new ContractException(
          origin
              + ": has the chat templates "
              + String.join(", ", new TreeMap<>(sources).keySet())
              + " and no "
              + name
              + ", which this conversation needs; add it to additional_chat_templates");
    }
    try {
      return parsed.computeIfAbsent(
          name, any -> JinjaTemplate.parse(source, Limits.DEFAULT, clock));
    } catch (TemplateException e) {
      throw new ContractException("the chat template of " + origin + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, Object> given(Map<String, @Nullable Object> message) {
    Map<String, Object> turn = new LinkedHashMap<>();
    Optional<Object> reasoning =
        REASONING.stream().map(message::get).filter(Objects::nonNull).findFirst();
    reasoning.ifPresent(thought -> turn.put("thinking", thought));
    message.forEach(
        (key, value) -> {
          if (value != null) {
            turn.put(key, value);
          }
        });
    reasoning.ifPresent(thought -> turn.put("reasoning_content", thought));
    if (turn.get("tool_calls") instanceof List<?> calls) {
      turn.put("tool_calls", calls.stream().map(ChatTemplate::called).toList());
    }
    return turn;
  }

  /** The call with its arguments as an object. */
  private static Object called(Object call) {
    if (call instanceof Map<?, ?> map
        && map.get("function") instanceof Map<?, ?> function
        && function.get("arguments") instanceof String text) {
      Map<Object, @Nullable Object> inner = new LinkedHashMap<>(function);
      inner.put("arguments", parse(text, "the arguments of the call " + map.get("id")));
      Map<Object, @Nullable Object> outer = new LinkedHashMap<>(map);
      outer.put("function", inner);
      return outer;
    }
    return call;
  }

  /** Refuses integers that templates would see rounded. */
  private static void exact(@Nullable Object value, String what) {
    if (value instanceof Map<?, ?> map) {
      map.values().forEach(inner -> exact(inner, what));
    } else if (value instanceof Iterable<?> list) {
      list.forEach(inner -> exact(inner, what));
    } else if (value instanceof BigInteger whole && whole.bitLength() > 63) {
      throw new PlanException(
          what
              + ": found the integer "
              + whole
              + ", expected integers of 64 bits, which is what chat templates can show exactly;"
              + " write it as text");
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
    return list;
  }

  private static Object parse(String json, String what) {
    try {
      Object value = JSON.readValue(json, Object.class);
      if (value == null) {
        throw new PlanException(what + ": expected JSON, found null");
      }
      exact(value, what);
      return value;
    } catch (JsonProcessingException e) {
      throw new PlanException(what + ": expected JSON, found " + json);
    }
  }
}
