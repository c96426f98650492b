package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Attempt;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Role;
import java.util.List;

/** Training files as logs: ShareGPT, {@code messages} and Alpaca JSON lines. */
final class ShareGptLog implements LogReader {
  @Override
  public boolean recognises(JsonNode record) {
    return record.path("conversations").isArray()
        || record.path("messages").isArray()
        || (record.has("instruction") && record.has("output"));
  }

  @Override
  public void read(JsonNode record, Sink sink) throws Unreadable {
    Draft draft = new Draft();
    draft.id = Chat.text(record, "id");
    draft.occurredAt =
        Times.of(record.has("timestamp") ? record.get("timestamp") : record.path("created_at"));
    String system = Chat.text(record, "system");
    if (system != null) {
      draft.messages.add(Message.system(system));
    }
    if (record.has("instruction")) {
      alpaca(record, draft);
    } else if (record.has("conversations")) {
      for (JsonNode turn : record.get("conversations")) {
        draft.messages.add(turn(turn));
      }
    } else {
      draft.messages.addAll(Chat.messages(record.get("messages")));
    }
    if (record.path("chosen").isObject()) {
      draft.completion = turn(record.get("chosen")).content();
      draft.attempts.add(
          new Attempt(
              null, turn(record.path("rejected")).content(), 0, 0, 0, null, Outcome.UNKNOWN));
    } else if (!record.has("instruction")) {
      takeAnswer(draft);
    }
    if (record.path("kto_tag").isBoolean()) {
      draft.judged(
          record.get("kto_tag").asBoolean() ? Outcome.VERIFIED : Outcome.FAILED, "log:kto_tag");
    }
    String tools = Chat.jsonText(record.path("tools"));
    draft.tools = tools.isEmpty() || tools.equals("[]") ? null : tools;
    sink.interaction(draft);
  }

  private static void alpaca(JsonNode record, Draft draft) throws Unreadable {
    for (JsonNode turn : record.path("history")) {
      draft.messages.add(Message.user(turn.path(0).asText()));
      draft.messages.add(Message.assistant(turn.path(1).asText()));
    }
    String input = Chat.text(record, "input");
    String instruction = record.get("instruction").asText();
    draft.messages.add(Message.user(input == null ? instruction : instruction + "\n" + input));
    draft.completion = Chat.content(record.get("output"));
  }

  /** The last turn of the assistant is the answer, everything before it the request. */
  static void takeAnswer(Draft draft) {
    List<Message> turns = draft.messages;
    if (!turns.isEmpty() && turns.get(turns.size() - 1).role() == Role.ASSISTANT) {
      draft.completion = turns.remove(turns.size() - 1).content();
    }
  }

  private static Message turn(JsonNode turn) throws Unreadable {
    if (!turn.has("from")) {
      return Chat.message(turn);
    }
    String from = turn.get("from").asText();
    try {
      Role role = from.equals("function_call") ? Role.ASSISTANT : Role.of(from);
      return new Message(role, Chat.content(turn.path("value")));
    } catch (IllegalArgumentException e) {
      throw new Unreadable("turn with an unknown 'from'");
    }
  }
}
