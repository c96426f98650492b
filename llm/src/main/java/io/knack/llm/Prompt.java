package io.knack.llm;

import io.knack.contracts.Message;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a model is asked. */
public sealed interface Prompt {

  /** Plain text; tokenized with the checkpoint's own special-token rules. */
  record Text(String text) implements Prompt {}

  /** Token ids as they are. In-process models only. */
  record Ids(List<Integer> ids) implements Prompt {}

  /**
   * A conversation, rendered by the model's chat template with a generation prompt.
   *
   * @param tools a JSON array as text; null for none
   * @param variables further template variables, such as {@code enable_thinking}
   */
  record Chat(List<Message> messages, @Nullable String tools, Map<String, Object> variables)
      implements Prompt {
    public Chat(List<Message> messages) {
      this(messages, null, Map.of());
    }
  }

  /**
   * A conversation as chat APIs write it, for the model's chat template as {@link Chat}. Its roles
   * and all keys of its messages reach the template as they are, such as {@code reasoning_content}
   * and {@code name}.
   *
   * @param tools null for none, which is not the same as an empty list
   * @param variables further template variables, such as {@code enable_thinking}
   */
  record Conversation(
      List<Map<String, @Nullable Object>> messages,
      @Nullable List<Object> tools,
      Map<String, Object> variables)
      implements Prompt {}
}
