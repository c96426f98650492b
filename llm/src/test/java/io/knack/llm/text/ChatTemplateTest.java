package io.knack.llm.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Message;
import io.knack.contracts.Role;
import io.knack.contracts.ToolCall;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.Prompt;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Case(
      List<Message> messages,
      @org.jspecify.annotations.Nullable String tools,
      Map<String, Object> variables) {}

  /** The family's template and the reference strings of transformers: see chat_templates.py. */
  @TestFactory
  Stream<DynamicTest> rendersAsTransformers() {
    JsonNode expected = json("expected.json");
    JsonNode cases = json("cases.json");
    List<DynamicTest> tests = new ArrayList<>();
    expected
        .fieldNames()
        .forEachRemaining(
            family -> {
              ChatTemplate template = template(family);
              expected
                  .path(family)
                  .properties()
                  .forEach(
                      entry -> {
                        Case one = read(cases.path(entry.getKey()));
                        tests.add(
                            DynamicTest.dynamicTest(
                                family + " " + entry.getKey(),
                                () -> check(template, one, entry.getValue())));
                      });
            });
    return tests.stream();
  }

  private static void check(ChatTemplate template, Case one, JsonNode expected) {
    if (expected.path("prompt").isObject()) {
      assertThatThrownBy(() -> template.prompt(one.messages(), one.tools(), one.variables()))
          .as(expected.path("prompt").toString())
          .isInstanceOf(ContractException.class);
      return;
    }
    assertThat(template.prompt(one.messages(), one.tools(), one.variables()))
        .isEqualTo(expected.path("prompt").textValue());
    assertThat(template.text(one.messages(), one.tools(), one.variables()))
        .isEqualTo(expected.path("text").textValue());
    JsonNode said = expected.path("assistant");
    if (said.isArray()) {
      assertThat(said(template, one)).isEqualTo(JSON.convertValue(said, List.class));
    }
  }

  /** What {@code apply_chat_template} makes of conversations as chat APIs write them. */
  @TestFactory
  Stream<DynamicTest> rendersWhatIsGivenAsTransformers(@TempDir Path directory) {
    JsonNode given = json("given.json");
    List<DynamicTest> tests = new ArrayList<>();
    for (Map.Entry<String, JsonNode> family : given.path("expected").properties()) {
      JsonNode source = given.path("templates").path(family.getKey());
      ChatTemplate template =
          source.isMissingNode() ? template(family.getKey()) : checkpoint(directory, source);
      for (Map.Entry<String, JsonNode> entry : family.getValue().properties()) {
        Prompt.Conversation one = conversation(given.path("cases").path(entry.getKey()));
        tests.add(
            DynamicTest.dynamicTest(
                family.getKey() + " " + entry.getKey(),
                () -> check(template, one, entry.getValue())));
      }
    }
    return tests.stream();
  }

  private static void check(ChatTemplate template, Prompt.Conversation one, JsonNode expected) {
    if (expected.isObject()) {
      assertThatThrownBy(() -> template.prompt(one))
          .as(expected.toString())
          .isInstanceOf(ContractException.class);
      return;
    }
    assertThat(template.prompt(one)).isEqualTo(expected.textValue());
  }

  private static ChatTemplate checkpoint(Path directory, JsonNode source) {
    try {
      write(
          directory,
          "tokenizer_config.json",
          JSON.createObjectNode().set("chat_template", source).toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow();
  }

  private static Prompt.Conversation conversation(JsonNode node) {
    return new Prompt.Conversation(
        JSON.convertValue(node.path("messages"), new TypeReference<>() {}),
        node.has("tools") ? JSON.convertValue(node.path("tools"), new TypeReference<>() {}) : null,
        node.has("variables")
            ? JSON.convertValue(node.path("variables"), new TypeReference<>() {})
            : Map.of());
  }

  @Test
  void conversationsWithToolsTakeTheirOwnTemplate(@TempDir Path directory) throws IOException {
    write(
        directory,
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"d\"},"
            + " {\"name\": \"tool_use\", \"template\": \"t{{ tools | length }}\"}]}");
    ChatTemplate both = ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow();
    List<Message> hi = List.of(Message.user("hi"));
    assertThat(both.prompt(hi, null, Map.of())).isEqualTo("d");
    assertThat(both.prompt(hi, "[{}]", Map.of())).isEqualTo("t1");
    assertThat(both.prompt(hi, "[]", Map.of())).isEqualTo("t0");
    // A file of templates replaces those of the config, all of them.
    write(directory, "chat_template.jinja", "file {{ tools | length }}");
    ChatTemplate file = ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow();
    assertThat(file.prompt(hi, "[{}]", Map.of())).isEqualTo("file 1");
    Files.createDirectory(directory.resolve("additional_chat_templates"));
    write(directory, "additional_chat_templates/tool_use.jinja", "more {{ tools | length }}");
    ChatTemplate files = ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow();
    assertThat(files.prompt(hi, "[{}]", Map.of())).isEqualTo("more 1");
    Files.delete(directory.resolve("chat_template.jinja"));
    ChatTemplate one = ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow();
    assertThat(one.prompt(hi, "[{}]", Map.of())).isEqualTo("more 1");
    assertThatThrownBy(() -> one.prompt(hi, null, Map.of()))
        .isInstanceOf(ContractException.class)
        .hasMessage(
            directory
                + ": has the chat templates tool_use and no default, which this conversation"
                + " needs; add it to additional_chat_templates");
  }

  @Test
  void integersBeyond64BitsAreRefusedByName() {
    String call = "{\"id\": 9223372036854775808}";
    List<Message> turns =
        List.of(new Message(Role.ASSISTANT, "", List.of(new ToolCall("c1", "f", call)), null));
    assertThatThrownBy(() -> template("qwen3").prompt(turns, null, Map.of()))
        .isInstanceOf(PlanException.class)
        .hasMessage(
            "the arguments of the call c1: found the integer 9223372036854775808, expected"
                + " integers of 64 bits, which is what chat templates can show exactly; write it"
                + " as text");
    List<Message> hi = List.of(Message.user("hi"));
    assertThatThrownBy(() -> template("qwen3").prompt(hi, "[" + call + "]", Map.of()))
        .hasMessageStartingWith("tools: found the integer 9223372036854775808");
    BigInteger less = BigInteger.valueOf(Long.MIN_VALUE).subtract(BigInteger.ONE);
    assertThatThrownBy(() -> template("qwen3").prompt(hi, null, Map.of("n", List.of(less))))
        .hasMessageStartingWith("the template's variables: found the integer -9223372036854775809");
    Prompt.Conversation given =
        new Prompt.Conversation(
            List.of(Map.of("role", "user", "content", "x", "n", less)), null, Map.of());
    assertThatThrownBy(() -> template("qwen3").prompt(given))
        .hasMessageStartingWith("messages: found the integer -9223372036854775809");
  }

  private static List<String> said(ChatTemplate template, Case one) {
    ChatTemplate.Transcript transcript =
        template.transcript(one.messages(), one.tools(), one.variables());
    return transcript.assistant().stream()
        .map(span -> transcript.text().substring(span.start(), span.end()))
        .toList();
  }

  private static List<String> said(String family, String name) {
    return said(template(family), read(json("cases.json").path(name)));
  }

  @Test
  void findsWhatTheAssistantSaysWithoutMarks() {
    assertThat(said("smollm2", "many_turns"))
        .containsExactly(" 4\n<|im_end|>", "4<|im_end|>", "10 🎉<|im_end|>");
    assertThat(said("smollm2", "blank_answer")).containsExactly("<|im_end|>", "x<|im_end|>");
    assertThat(said("smollm2", "markup")).containsExactly("<|im_start|>assistant\nx<|im_end|>");
    assertThat(said("llama3", "many_turns"))
        .containsExactly("4<|eot_id|>", "4<|eot_id|>", "10 🎉<|eot_id|>");
    assertThat(said("llama3_1", "many_turns"))
        .containsExactly("4<|eot_id|>", "4<|eot_id|>", "10 🎉<|eot_id|>");
    assertThat(said("mistral", "many_turns")).containsExactly(" 4</s>", " 4</s>", " 10 🎉</s>");
    assertThat(said("smollm2", "one_turn")).isEmpty();
  }

  @Test
  void findsCallsOfTools() {
    String arguments =
        "{\"article\": \"pen's \\\"x\\\"\", \"count\": 2, \"discount\": 0.5, \"none\": null,"
            + " \"yes\": true}";
    assertThat(said("llama3_1", "tool_calls"))
        .containsExactly(
            "{\"name\": \"price_of\", \"parameters\": " + arguments + "}<|eot_id|>",
            "3 coins<|eot_id|>",
            "welcome<|eot_id|>");
    // The header of a call ends where its words begin, so the newline belongs to the turn.
    assertThat(said("qwen2_5", "tool_calls"))
        .containsExactly(
            "<tool_call>\n{\"name\": \"price_of\", \"arguments\": "
                + arguments
                + "}\n</tool_call><|im_end|>",
            "3 coins<|im_end|>",
            "welcome<|im_end|>");
    assertThat(said("mistral", "tool_calls").get(0))
        .startsWith("[TOOL_CALLS] [{\"name\": \"price_of\"")
        .endsWith("\"id\": \"abcdefgh1\"}]</s>");
    assertThat(said("qwen3", "tool_calls_last"))
        .containsExactly(
            "<think>\n\n</think>\n\nLet me see.\n<tool_call>\n{\"name\": \"price_of\","
                + " \"arguments\": {\"article\": \"pen\"}}\n</tool_call><|im_end|>");
  }

  @Test
  void findsTurnsThatLaterTurnsChange() {
    // Qwen3 drops the thoughts of answered questions; what is left is what the text shows.
    assertThat(said("qwen3", "thoughts"))
        .containsExactly("b<|im_end|>", "<think>\nwell\n</think>\n\nd<|im_end|>");
    assertThat(said("qwen3", "tool_thoughts"))
        .containsExactly(
            "ok\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call><|im_end|>",
            "noon<|im_end|>",
            "<think>\n\n</think>\n\nz<|im_end|>");
    assertThat(
            said(
                template("qwen3"),
                new Case(
                    List.of(
                        Message.user("a"), Message.assistant("b"),
                        Message.user("c"), Message.assistant("d")),
                    null,
                    Map.of("enable_thinking", false))))
        .containsExactly("b<|im_end|>", "d<|im_end|>");
  }

  @Test
  void readsACheckpointDirectory(@TempDir Path directory) throws IOException {
    assertThat(ChatTemplate.find(directory, Clock.systemUTC())).isEmpty();
    write(
        directory,
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"default\", \"template\": \"d{{ bos_token }}\"},"
            + " {\"name\": \"tool_use\", \"template\": \"t{{ eos_token }}\"}],"
            + " \"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": null}");
    write(directory, "special_tokens_map.json", "{\"eos_token\": \"</s>\"}");
    assertThat(text(ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow()))
        .isEqualTo("d<s>");
    assertThat(text(ChatTemplate.find(directory, "tool_use", Clock.systemUTC()).orElseThrow()))
        .isEqualTo("t</s>");
    write(directory, "chat_template.jinja", "file {{ messages[0].content }}");
    assertThat(text(ChatTemplate.find(directory, Clock.systemUTC()).orElseThrow()))
        .isEqualTo("file hi");
  }

  @Test
  void saysWhatIsWrong(@TempDir Path directory) throws IOException {
    write(directory, "tokenizer_config.json", "{\"chat_template\": \"x\\n{% block a %}\"}");
    assertThatThrownBy(() -> ChatTemplate.find(directory, Clock.systemUTC()))
        .isInstanceOf(ContractException.class)
        .hasMessage("the chat template of " + directory + ": line 2: unknown tag 'block'");
    write(directory, "tokenizer_config.json", "{");
    assertThatThrownBy(() -> ChatTemplate.find(directory, Clock.systemUTC()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("tokenizer_config.json: is no JSON");
    assertThatThrownBy(
            () ->
                template("mistral")
                    .prompt(List.of(Message.user("a"), Message.user("b")), null, Map.of()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("mistral refuses the conversation: ")
        .hasMessageContaining("conversation roles must alternate");
    assertThatThrownBy(
            () -> template("qwen3").prompt(List.of(Message.user("a")), "{\"a\": 1}", Map.of()))
        .isInstanceOf(PlanException.class)
        .hasMessage("tools: expected a JSON array, found {\"a\": 1}");
  }

  private static String text(ChatTemplate template) {
    return template.text(List.of(Message.user("hi")), null, Map.of());
  }

  private static void write(Path directory, String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }

  private static ChatTemplate template(String family) {
    Map<String, Object> standing =
        JSON.convertValue(
            json("standing.json"),
            JSON.getTypeFactory().constructMapType(Map.class, String.class, Object.class));
    return ChatTemplate.of(family, resource(family + ".jinja"), standing, Clock.systemUTC());
  }

  private static Case read(JsonNode node) {
    List<Message> messages = new ArrayList<>();
    node.path("messages")
        .forEach(
            message -> {
              List<ToolCall> calls = new ArrayList<>();
              message
                  .path("tool_calls")
                  .forEach(
                      call ->
                          calls.add(
                              new ToolCall(
                                  call.path("id").asText(),
                                  call.path("function").path("name").asText(),
                                  call.path("function").path("arguments").toString())));
              messages.add(
                  new Message(
                      Role.of(message.path("role").asText()),
                      message.path("content").asText(),
                      calls,
                      message.path("tool_call_id").textValue()));
            });
    return new Case(
        messages,
        node.has("tools") ? node.path("tools").toString() : null,
        node.has("variables")
            ? JSON.convertValue(
                node.path("variables"),
                JSON.getTypeFactory().constructMapType(Map.class, String.class, Object.class))
            : Map.of());
  }

  private static JsonNode json(String name) {
    try {
      return JSON.readTree(resource(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String resource(String name) {
    try (InputStream in = ChatTemplateTest.class.getResourceAsStream("/chat/" + name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
