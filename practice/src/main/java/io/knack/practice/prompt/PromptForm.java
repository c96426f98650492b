package io.knack.practice.prompt;

import io.knack.contracts.Message;
import io.knack.llm.Prompt;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** For whom a prompt is written. */
public enum PromptForm {
  /** Any instruct model: English, in chat messages, rendered by the model's chat template. */
  INSTRUCT,
  /** A very small model: short marked lines of plain text, rendered without a chat template. */
  SHORT;

  /** What the model is given. */
  public Prompt render(List<Message> messages, @Nullable String tools) {
    return switch (this) {
      case INSTRUCT -> new Prompt.Chat(messages, tools, Map.of());
      case SHORT ->
          new Prompt.Text(messages.stream().map(Message::content).collect(Collectors.joining()));
    };
  }
}
