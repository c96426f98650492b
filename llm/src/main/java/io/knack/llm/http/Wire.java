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

/** The JSON of {@code /chat/completions} and {@code /completions}. */
final class Wire {
  private static final ObjectMapper JSON = new ObjectMapper();

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

  /**
   * Reads a 200's body.
   *
   * @param first the index of its first sample
   * @throws IOException where it is not the answer that was asked for: cut off, or no JSON
   */
  static Answer answer(byte[] body, GenerationRequest request, int first) throws IOException {
    JsonNode root;
    try {
      root = JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw new IOException("an answer that is no JSON: " + e.getOriginalMessage(), e);
    }
    JsonNode choices = root.path("choices");
    if (!choices.isArray() || choices.isEmpty()) {
      throw new IOException("an answer without choices");
    }
    JsonNode usage = root.path("usage");
    boolean chat = isChat(request.prompt());
    List<Sample> samples = new ArrayList<>();
    long counted = usage.path("completion_tokens").asLong(-1);
    for (JsonNode choice : choices) {
      if (samples.size() + first >= request.samples()) {
        break;
      }
      String text =
          (chat ? choice.path("message").path("content") : choice.path("text")).asText("");
      List<Float> logprobs = logprobs(choice.path("logprobs"));
      boolean wanted = request.sampling().logprobs() != Sampling.Logprobs.NONE;
      int tokens =
          logprobs.isEmpty()
              ? choices.size() == 1 && counted >= 0 ? (int) counted : estimate(text)
              : logprobs.size();
      samples.add(
          new Sample(
              first + samples.size(),
              List.of(),
              text,
              wanted && !logprobs.isEmpty() ? logprobs : null,
              choice.path("finish_reason").asText("").equals("length")
                  ? FinishReason.LENGTH
                  : FinishReason.STOP,
              tokens,
              toolCalls(choice.path("message"))));
    }
    long completion =
        counted >= 0 ? counted : samples.stream().mapToLong(Sample::completionTokens).sum();
    return new Answer(
        samples,
        usage.path("prompt_tokens").asLong(0),
        usage.path("prompt_tokens_details").path("cached_tokens").asLong(0),
        completion);
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

  private static List<Float> logprobs(JsonNode node) {
    List<Float> values = new ArrayList<>();
    if (node.path("content").isArray()) {
      node.path("content").forEach(token -> values.add((float) token.path("logprob").asDouble()));
    } else {
      node.path("token_logprobs").forEach(value -> values.add((float) value.asDouble()));
    }
    return values;
  }

  /** Four bytes a token: what English and code come to with today's vocabularies, roughly. */
  static int estimate(String text) {
    return (text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length + 3) / 4;
  }

  /** What an error's body says, in a few words. */
  static String complaint(byte[] body) {
    String text;
    try {
      JsonNode root = JSON.readTree(body);
      JsonNode error = root.path("error");
      text =
          error.isTextual()
              ? error.textValue()
              : error.path("message").asText(root.path("message").asText(root.toString()));
    } catch (IOException e) {
      text = new String(body, java.nio.charset.StandardCharsets.UTF_8);
    }
    String line = text.replaceAll("\\s+", " ").strip();
    return line.length() > 300 ? line.substring(0, 300) + "..." : line;
  }
}
