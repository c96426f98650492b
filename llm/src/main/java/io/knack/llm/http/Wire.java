package io.knack.llm.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Message;
import io.knack.contracts.ToolCall;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The JSON of {@code /chat/completions} and {@code /completions}. */
final class Wire {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Pattern ONE_SAMPLE =
      Pattern.compile(
          "(?i)only one completion choice"
              + "|(?:\\bn\\b|'n'|\"n\"|`n`)[^.;]{0,40}(?:must be|at most|only|not supported)"
              + "|multiple (?:choices|completions)[^.;]{0,20}not supported");

  private Wire() {}

  /** Text is continued, a conversation is answered: two paths of the endpoint. */
  static String path(Prompt prompt) {
    return isChat(prompt) ? "/chat/completions" : "/completions";
  }

  private static boolean isChat(Prompt prompt) {
    return prompt instanceof Prompt.Chat || prompt instanceof Prompt.Conversation;
  }

  /**
   * @param samples how many of the request's samples to ask for
   * @param first the index of the first of them
   */
  static String body(GenerationRequest request, String model, int samples, int first) {
    Sampling sampling = request.sampling();
    ObjectNode body = JSON.createObjectNode();
    String adapter = request.adapter();
    body.put("model", adapter == null ? model : adapter);
    boolean chat = isChat(request.prompt());
    if (request.prompt() instanceof Prompt.Chat conversation) {
      conversation(body, conversation);
    } else if (request.prompt() instanceof Prompt.Conversation conversation) {
      asGiven(body, conversation);
    } else if (request.prompt() instanceof Prompt.Text text) {
      body.put("prompt", text.text());
    } else {
      throw new PlanException(
          "a prompt of token ids needs an in-process model; an endpoint takes text or messages");
    }
    body.put("max_tokens", sampling.maxTokens());
    body.put("temperature", sampling.temperature());
    if (sampling.topP() < 1) {
      body.put("top_p", sampling.topP());
    }
    if (sampling.topK() > 0) {
      body.put("top_k", sampling.topK());
    }
    if (!sampling.stop().isEmpty()) {
      sampling.stop().forEach(body.putArray("stop")::add);
    }
    Long seed = sampling.seed();
    if (seed != null) {
      body.put("seed", seed + first);
    }
    if (samples > 1) {
      body.put("n", samples);
    }
    if (sampling.logprobs() != Sampling.Logprobs.NONE) {
      if (chat) {
        body.put("logprobs", true);
      } else {
        body.put("logprobs", 1);
      }
    }
    body.put("stream", false);
    return body.toString();
  }

  private static void conversation(ObjectNode body, Prompt.Chat chat) {
    ArrayNode messages = body.putArray("messages");
    for (Message message : chat.messages()) {
      ObjectNode turn = messages.addObject();
      turn.put("role", message.role().wire());
      turn.put("content", message.content());
      if (!message.toolCalls().isEmpty()) {
        ArrayNode calls = turn.putArray("tool_calls");
        for (ToolCall call : message.toolCalls()) {
          ObjectNode wire = calls.addObject();
          wire.put("id", call.id());
          wire.put("type", "function");
          wire.putObject("function").put("name", call.name()).put("arguments", call.arguments());
        }
      }
      if (message.toolCallId() != null) {
        turn.put("tool_call_id", message.toolCallId());
      }
    }
    String tools = chat.tools();
    if (tools != null && !tools.isBlank()) {
      try {
        body.set("tools", JSON.readTree(tools));
      } catch (JsonProcessingException e) {
        throw new PlanException("tools: expected a JSON array, found " + tools);
      }
    }
    if (!chat.variables().isEmpty()) {
      body.set("chat_template_kwargs", JSON.valueToTree(chat.variables()));
    }
  }

  private static void asGiven(ObjectNode body, Prompt.Conversation chat) {
    body.set("messages", JSON.valueToTree(chat.messages()));
    if (chat.tools() != null) {
      body.set("tools", JSON.valueToTree(chat.tools()));
    }
    if (!chat.variables().isEmpty()) {
      body.set("chat_template_kwargs", JSON.valueToTree(chat.variables()));
    }
  }

  /** What one answer held. */
  record Answer(
      List<Sample> samples, long promptTokens, long cachedPromptTokens, long completionTokens) {}

  /** An answer that a content filter held back. */
  static final class Withheld extends IOException {
    private static final long serialVersionUID = 1;

    Withheld() {
      super("an answer that its content filter withheld (finish_reason content_filter)");
    }
  }

  /**
   * Reads a 200's body.
   *
   * @param first the index of its first sample
   * @throws Withheld where a content filter ended a sample
   * @throws IOException where it is not the answer that was asked for: cut off, no JSON, or not of
   *     an answer's shape; the message may quote the body
   */
  static Answer answer(byte[] body, GenerationRequest request, int first) throws IOException {
    JsonNode root;
    try {
      root = JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new IOException("an answer that is no JSON: " + e.getOriginalMessage());
    }
    if (root.isMissingNode()) {
      throw new IOException("an answer that is empty");
    }
    JsonNode choices = root.path("choices");
    if (!choices.isArray() || choices.isEmpty()) {
      throw new IOException("an answer without choices: " + complaint(root));
    }
    JsonNode usage = root.path("usage");
    boolean chat = isChat(request.prompt());
    List<Sample> samples = new ArrayList<>();
    int counted = count(usage, "completion_tokens", -1);
    for (JsonNode choice : choices) {
      if (samples.size() + first >= request.samples()) {
        break;
      }
      JsonNode holder = chat ? choice.path("message") : choice;
      if (!holder.isObject()) {
        throw new IOException("an answer with a choice that is no object with text: " + choice);
      }
      FinishReason finishReason = finishReason(choice.path("finish_reason"));
      String text = text(holder.path(chat ? "content" : "text"));
      JsonNode tokens = tokens(choice.path("logprobs"));
      samples.add(
          new Sample(
              first + samples.size(),
              List.of(),
              text,
              request.sampling().logprobs() == Sampling.Logprobs.NONE ? null : logprobs(tokens),
              finishReason,
              tokens.isEmpty()
                  ? choices.size() == 1 && counted >= 0 ? counted : estimate(text)
                  : tokens.size(),
              toolCalls(choice.path("message"))));
    }
    return new Answer(
        samples,
        count(usage, "prompt_tokens", estimate(request.prompt())),
        count(usage.path("prompt_tokens_details"), "cached_tokens", 0),
        counted >= 0 ? counted : samples.stream().mapToLong(Sample::completionTokens).sum());
  }

  /**
   * Whether a complaint says that a server makes one sample a call. llama.cpp's says "Only one
   * completion choice is allowed"; others name the field.
   */
  static boolean wantsOneSample(String complaint) {
    return ONE_SAMPLE.matcher(complaint).find();
  }

  /** A text, or a list of parts, of which those of text count: others think, or show. */
  private static String text(JsonNode content) throws IOException {
    if (content.isTextual()) {
      return content.textValue();
    }
    if (content.isNull() || content.isMissingNode()) {
      return ""; // As beside tool calls.
    }
    StringBuilder text = new StringBuilder();
    boolean found = content.isArray() && content.isEmpty();
    if (content.isArray()) {
      for (JsonNode part : content) {
        JsonNode words = part.isTextual() ? part : part.path("text");
        if (words.isTextual()) {
          text.append(words.textValue());
          found = true;
        }
      }
    }
    if (!found) {
      throw new IOException("an answer whose content is neither text nor text parts: " + content);
    }
    return text.toString();
  }

  private static FinishReason finishReason(JsonNode reason) throws IOException {
    String name = reason.asText("");
    return switch (name) {
      // None at all: servers that know only whole answers.
      case "", "stop", "eos_token", "stop_sequence", "end_turn", "tool_calls", "function_call" ->
          FinishReason.STOP;
      case "length", "max_tokens", "model_length" -> FinishReason.LENGTH;
      case "content_filter" -> throw new Withheld();
      default -> throw new IOException("an answer that ended with finish_reason " + name);
    };
  }

  /** A number of tokens; the default where there is none. */
  private static int count(JsonNode usage, String name, int none) throws IOException {
    JsonNode value = usage.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return none;
    }
    if (!value.canConvertToExactIntegral() || !value.canConvertToInt() || value.intValue() < 0) {
      throw new IOException(
          "an answer whose "
              + name
              + " is "
              + value
              + ", not a whole number from 0 to "
              + Integer.MAX_VALUE);
    }
    return value.intValue();
  }

  /**
   * The calls that an answer asks for; arguments come as text, or from some servers as an object.
   *
   * @throws IOException where a call has no name
   */
  private static List<ToolCall> toolCalls(JsonNode message) throws IOException {
    List<ToolCall> calls = new ArrayList<>();
    for (JsonNode call : message.path("tool_calls")) {
      JsonNode function = call.path("function");
      String name = function.path("name").asText("");
      if (name.isEmpty()) {
        throw new IOException("an answer with a tool call without a name");
      }
      JsonNode arguments = function.path("arguments");
      calls.add(
          new ToolCall(
              call.path("id").asText("call_" + calls.size()),
              name,
              arguments.isTextual()
                  ? arguments.textValue()
                  : arguments.isObject() ? arguments.toString() : "{}"));
    }
    return calls;
  }

  /** One entry a token: objects after a conversation, numbers after text. */
  private static JsonNode tokens(JsonNode logprobs) {
    JsonNode content = logprobs.path("content");
    return content.isArray() ? content : logprobs.path("token_logprobs");
  }

  /** Null where not every token has its number: a missing one is not known to be certain. */
  private static @Nullable List<Float> logprobs(JsonNode tokens) {
    List<Float> values = new ArrayList<>();
    for (JsonNode token : tokens) {
      JsonNode value = token.isObject() ? token.path("logprob") : token;
      if (!value.isNumber() || !Float.isFinite(value.floatValue())) {
        return null;
      }
      values.add(value.floatValue());
    }
    return values.isEmpty() ? null : values;
  }

  /** Four bytes a token: what English and code come to with today's vocabularies, roughly. */
  static int estimate(String text) {
    return (text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length + 3) / 4;
  }

  private static int estimate(Prompt prompt) {
    if (prompt instanceof Prompt.Text text) {
      return estimate(text.text());
    }
    if (prompt instanceof Prompt.Chat chat) {
      return chat.messages().stream().mapToInt(message -> estimate(message.content()) + 4).sum();
    }
    return prompt instanceof Prompt.Conversation conversation
        ? estimate(JSON.valueToTree(conversation.messages()).toString())
        : 0;
  }

  /** What an error's body says, in the server's words. */
  static String complaint(byte[] body) {
    try {
      return complaint(JSON.readTree(body));
    } catch (IOException e) {
      return new String(body, java.nio.charset.StandardCharsets.UTF_8);
    }
  }

  private static String complaint(JsonNode root) {
    JsonNode error = root.path("error");
    return error.isTextual()
        ? error.textValue()
        : error.path("message").asText(root.path("message").asText(root.toString()));
  }
}
