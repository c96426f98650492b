package io.knack.llm.text;

import io.knack.contracts.Message;
import io.knack.llm.text.jinja.JinjaTemplate.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A conversation as a trainer wants it.
 *
 * @param ids of the whole conversation
 * @param assistant for each id, whether the assistant said it (or ended its turn with it)
 */
public record LabelledTokens(List<Integer> ids, List<Boolean> assistant) {
  public LabelledTokens {
    ids = List.copyOf(ids);
    assistant = List.copyOf(assistant);
    if (ids.size() != assistant.size()) {
      throw new IllegalArgumentException(ids.size() + " ids have " + assistant.size() + " labels");
    }
  }

  /**
   * Renders, tokenizes once as a whole, and labels each token by its first character, as
   * transformers' {@code return_assistant_tokens_mask} does. The template writes the special tokens
   * itself, so that none are added.
   */
  public static LabelledTokens of(
      ChatTemplate template,
      Tokenizer tokenizer,
      List<Message> messages,
      @Nullable String tools,
      Map<String, Object> variables) {
    ChatTemplate.Transcript transcript = template.transcript(messages, tools, variables);
    List<Integer> ids = new ArrayList<>();
    List<Boolean> assistant = new ArrayList<>();
    List<Span> spans = transcript.assistant();
    int span = 0;
    for (Tokenizer.Token token : tokenizer.tokens(transcript.text(), Tokenizer.Specials.NONE)) {
      while (span < spans.size() && token.start() >= spans.get(span).end()) {
        span++;
      }
      ids.add(token.id());
      assistant.add(
          span < spans.size()
              && token.end() > spans.get(span).start()
              && token.end() > token.start());
    }
    return new LabelledTokens(ids, assistant);
  }
}
