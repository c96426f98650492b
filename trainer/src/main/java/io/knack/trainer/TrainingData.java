package io.knack.trainer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Example;
import io.knack.contracts.Message;
import io.knack.contracts.Quarantined;
import io.knack.contracts.Role;
import io.knack.contracts.ToolCall;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Jsons;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.text.ChatTemplate;
import io.knack.llm.text.LabelledTokens;
import io.knack.llm.text.Tokenizer;
import io.knack.llm.train.TokenSequence;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Turns conversations into token sequences whose loss is on the assistant's turns alone. Reads
 * {@code messages}, {@code prompt}/{@code completion}, ShareGPT and Alpaca lines; a line it cannot
 * use is quarantined with its number.
 */
public final class TrainingData implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;
  private final int maxLength;
  private final TrainPlan.TooLong tooLong;
  private final List<Integer> stopIds;
  private final Path model;

  /**
   * @param model the checkpoint directory, for its tokenizer and chat template
   */
  public TrainingData(Path model, TrainPlan plan) {
    this.model = model;
    ModelConfig shape = ModelConfig.of(model);
    this.tokenizer = Tokenizer.load(model);
    this.template = ChatTemplate.find(model, Clock.systemUTC());
    this.maxLength = Math.min(plan.maxLength(), shape.maxPositions());
    this.tooLong = plan.tooLong();
    this.stopIds = shape.stopIds();
  }

  /**
   * What was read; {@code total = sequences + tooLong dropped + quarantined}.
   *
   * @param cut sequences that lost their beginning
   */
  public record Read(
      List<TokenSequence> sequences,
      int total,
      int dropped,
      int cut,
      List<Quarantined> quarantine) {
    public Read {
      sequences = List.copyOf(sequences);
      quarantine = List.copyOf(quarantine);
    }
  }

  /** Reads a JSONL file. */
  public Read read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ContractException(file + ": no such file; expected JSON lines to learn from");
    }
    List<TokenSequence> sequences = new ArrayList<>();
    List<Quarantined> quarantine = new ArrayList<>();
    int[] counts = new int[2];
    long line = 0;
    long offset = 0;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      for (byte[] raw = nextLine(in); raw.length > 0; raw = nextLine(in)) {
        line++;
        try {
          keep(line(decode(raw)), sequences, counts, file + ":" + line);
        } catch (BadLine | IllegalArgumentException bad) {
          quarantine.add(
              new Quarantined(
                  file.getFileName().toString(),
                  line,
                  offset,
                  String.valueOf(bad.getMessage()),
                  Digests.sha256(new String(raw, StandardCharsets.ISO_8859_1))));
        }
        offset += raw.length;
      }
    }
    return new Read(sequences, (int) line, counts[0], counts[1], quarantine);
  }

  /** A line with its end; empty at the end of the file. */
  private static byte[] nextLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      line.write(b);
      if (b == '\n') {
        break;
      }
    }
    return line.toByteArray();
  }

  private static String decode(byte[] raw) throws BadLine {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString();
    } catch (CharacterCodingException e) {
      throw new BadLine("not UTF-8");
    }
  }

  /** Tokenizes curated examples; those without a completion are skipped. */
  public List<TokenSequence> of(List<Example> examples) {
    List<TokenSequence> sequences = new ArrayList<>();
    for (Example example : examples) {
      if (example.completion() != null) {
        List<Message> messages = new ArrayList<>(example.messages());
        messages.add(Message.assistant(example.completion()));
        keep(
            chat(messages, null, example.weight()), sequences, new int[2], example.id().toString());
      }
    }
    return sequences;
  }

  private void keep(TokenSequence sequence, List<TokenSequence> to, int[] counts, String where) {
    if (sequence.length() <= maxLength) {
      to.add(sequence);
      return;
    }
    switch (tooLong) {
      case DROP -> counts[0]++;
      case CUT_LEFT -> {
        int from = sequence.length() - maxLength;
        to.add(
            new TokenSequence(
                java.util.Arrays.copyOfRange(sequence.ids(), from, sequence.length()),
                java.util.Arrays.copyOfRange(sequence.weights(), from, sequence.length()),
                sequence.adapter()));
        counts[1]++;
      }
      case REFUSE ->
          throw new ContractException(
              where
                  + ": "
                  + sequence.length()
                  + " tokens, max_length is "
                  + maxLength
                  + "; raise it, or set too_long to drop or cut_left");
    }
  }

  /** A line that cannot be learnt from. */
  private static final class BadLine extends Exception {
    private static final long serialVersionUID = 1L;

    BadLine(String message) {
      super(message);
    }
  }

  private TokenSequence line(String text) throws BadLine {
    if (text.isBlank()) {
      throw new BadLine("empty line");
    }
    JsonNode json;
    try {
      json = Jsons.mapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw new BadLine("not JSON: " + e.getOriginalMessage());
    }
    double weight = json.path("weight").asDouble(1);
    if (!(weight > 0)) {
      throw new BadLine("weight: expected a positive number, found " + json.path("weight"));
    }
    JsonNode tools = json.path("tools");
    String toolText =
        tools.isTextual() ? tools.textValue() : tools.isArray() ? tools.toString() : null;
    if (toolText != null && toolText.replace(" ", "").equals("[]")) {
      toolText = null;
    }
    if (json.path("messages").isArray()) {
      return chat(messages(json.path("messages"), "role", "content"), toolText, weight);
    }
    if (json.path("conversations").isArray()) {
      List<Message> messages = new ArrayList<>();
      if (!json.path("system").asText("").isEmpty()) {
        messages.add(Message.system(json.path("system").asText()));
      }
      messages.addAll(messages(json.path("conversations"), "from", "value"));
      return chat(messages, toolText, weight);
    }
    if (json.has("prompt") && json.has("completion")) {
      if (json.path("prompt").isArray()) {
        List<Message> messages = new ArrayList<>(messages(json.path("prompt"), "role", "content"));
        JsonNode completion = json.path("completion");
        if (completion.isTextual()) {
          messages.add(Message.assistant(completion.textValue()));
        } else {
          messages.addAll(messages(completion, "role", "content"));
        }
        return chat(messages, toolText, weight);
      }
      return plain(text(json, "prompt"), text(json, "completion"), weight);
    }
    if (json.has("instruction") && json.has("output")) {
      String input = json.path("input").asText("");
      String question = text(json, "instruction") + (input.isEmpty() ? "" : "\n" + input);
      String answer = text(json, "output");
      List<Message> messages = new ArrayList<>();
      if (!json.path("system").asText("").isEmpty()) {
        messages.add(Message.system(json.path("system").asText()));
      }
      for (JsonNode turn : json.path("history")) {
        messages.add(Message.user(turn.path(0).asText()));
        messages.add(Message.assistant(turn.path(1).asText()));
      }
      if (template.isEmpty() && messages.isEmpty()) {
        return plain(question + "\n", answer, weight);
      }
      messages.add(Message.user(question));
      messages.add(Message.assistant(answer));
      return chat(messages, null, weight);
    }
    throw new BadLine(
        "expected messages, conversations, prompt and completion, or instruction and output");
  }

  private static String text(JsonNode json, String field) throws BadLine {
    if (!json.path(field).isTextual()) {
      throw new BadLine(field + ": expected text, found " + json.path(field));
    }
    return json.path(field).textValue();
  }

  private static List<Message> messages(JsonNode turns, String role, String content)
      throws BadLine {
    List<Message> messages = new ArrayList<>();
    for (JsonNode turn : turns) {
      if (!turn.path(role).isTextual()) {
        throw new BadLine("turn " + messages.size() + " has no " + role);
      }
      List<ToolCall> calls = new ArrayList<>();
      for (JsonNode call : turn.path("tool_calls")) {
        JsonNode function = call.path("function");
        JsonNode arguments = function.path("arguments");
        calls.add(
            new ToolCall(
                call.path("id").asText(""),
                function.path("name").asText(),
                arguments.isTextual() ? arguments.textValue() : arguments.toString()));
      }
      JsonNode words = turn.path(content);
      if (!words.isTextual() && calls.isEmpty()) {
        throw new BadLine("turn " + messages.size() + " has no text in " + content);
      }
      String from = turn.path(role).asText();
      messages.add(
          new Message(
              from.equals("function_call") ? Role.ASSISTANT : Role.of(from),
              words.asText(""),
              calls,
              turn.path("tool_call_id").isTextual() ? turn.path("tool_call_id").asText() : null));
    }
    return messages;
  }

  private TokenSequence chat(List<Message> messages, @Nullable String tools, double weight) {
    ChatTemplate chat =
        template.orElseThrow(
            () ->
                new ContractException(
                    model
                        + ": the checkpoint has no chat template, which conversations need; add"
                        + " one to tokenizer_config.json, or give prompt and completion lines"));
    if (messages.stream().noneMatch(m -> m.role() == Role.ASSISTANT)) {
      throw new IllegalArgumentException("no assistant turn to learn from");
    }
    LabelledTokens tokens = LabelledTokens.of(chat, tokenizer, messages, tools, Map.of());
    float[] weights = new float[tokens.ids().size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = tokens.assistant().get(i) ? (float) weight : 0;
    }
    return sequence(tokens.ids(), weights);
  }

  /** Prompt and completion as they are, then the end of the text. */
  private TokenSequence plain(String prompt, String completion, double weight) {
    List<Integer> ids = new ArrayList<>();
    List<Float> weights = new ArrayList<>();
    for (Tokenizer.Token token : tokenizer.tokens(prompt + completion, Tokenizer.Specials.ADDED)) {
      ids.add(token.id());
      weights.add(
          token.end() > prompt.length() && token.end() > token.start() ? (float) weight : 0f);
    }
    if (!stopIds.isEmpty() && !stopIds.contains(ids.get(ids.size() - 1))) {
      ids.add(stopIds.get(0));
      weights.add((float) weight);
    }
    float[] all = new float[ids.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = weights.get(i);
    }
    return sequence(ids, all);
  }

  private static TokenSequence sequence(List<Integer> ids, float[] weights) {
    TokenSequence sequence =
        new TokenSequence(ids.stream().mapToInt(Integer::intValue).toArray(), weights, 0);
    if (!(sequence.weight() > 0)) {
      throw new IllegalArgumentException("no token to learn: the assistant says nothing");
    }
    return sequence;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
