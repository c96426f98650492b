package io.knack.contracts;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One turn of a conversation.
 *
 * @param toolCalls what an assistant turn asks for; empty otherwise
 * @param toolCallId the call that a tool turn answers
 */
public record Message(
    Role role, String content, List<ToolCall> toolCalls, @Nullable String toolCallId) {
  public Message {
    toolCalls = List.copyOf(toolCalls);
  }

  public Message(Role role, String content) {
    this(role, content, List.of(), null);
  }

  public static Message system(String content) {
    return new Message(Role.SYSTEM, content);
  }

  public static Message user(String content) {
    return new Message(Role.USER, content);
  }

  public static Message assistant(String content) {
    return new Message(Role.ASSISTANT, content);
  }
}
