package io.knack.llm.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Message;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TokenizerTest {
  private static Tokenizer tokenizer() {
    return Tokenizer.load(Path.of("src/test/resources/encoder/mean"));
  }

  @Test
  void knowsIdsAndPlaces() {
    try (Tokenizer tokenizer = tokenizer()) {
      assertThat(tokenizer.id("cat")).hasValue(6);
      assertThat(tokenizer.id("[SEP]")).hasValue(3);
      assertThat(tokenizer.id("nosuch")).isEmpty();
      assertThat(tokenizer.specialIds()).contains(0, 1, 2, 3);
      assertThat(tokenizer.encode("a cat", Tokenizer.Specials.NONE)).containsExactly(5, 6);
      assertThat(tokenizer.encode("a cat", Tokenizer.Specials.ADDED)).containsExactly(2, 5, 6, 3);
      assertThat(tokenizer.encode("a ".repeat(700), Tokenizer.Specials.NONE)).hasSize(700);
      // Two UTF-16 units before the cat.
      List<Tokenizer.Token> tokens = tokenizer.tokens("😀 cat", Tokenizer.Specials.NONE);
      assertThat(tokens.get(tokens.size() - 1)).isEqualTo(new Tokenizer.Token(6, 3, 6));
    }
  }

  @Test
  void labelsWhatTheAssistantSays() {
    ChatTemplate template =
        ChatTemplate.of(
            "test",
            "{% for m in messages %}{{ m.role == 'user' and 'how ' or 'is ' }}{{ m.content }} .{%"
                + " endfor %}{% if add_generation_prompt %}is {% endif %}",
            Map.of(),
            Clock.systemUTC());
    try (Tokenizer tokenizer = tokenizer()) {
      LabelledTokens labelled =
          LabelledTokens.of(
              template,
              tokenizer,
              List.of(Message.user("a cat"), Message.assistant("the dog")),
              null,
              Map.of());
      List<String> said = new ArrayList<>();
      for (int i = 0; i < labelled.ids().size(); i++) {
        if (labelled.assistant().get(i)) {
          said.add(tokenizer.decode(List.of(labelled.ids().get(i))));
        }
      }
      assertThat(said).containsExactly("the", "dog", ".");
      assertThat(labelled.ids()).hasSize(8);
    }
  }

  @Test
  void streamsWhatDecodingAtOnceGives() {
    try (Tokenizer tokenizer = tokenizer()) {
      List<Integer> ids = tokenizer.encode("the dogs are unknown !", Tokenizer.Specials.NONE);
      Tokenizer.Stream stream = tokenizer.stream();
      StringBuilder text = new StringBuilder();
      ids.forEach(id -> text.append(stream.push(id)));
      text.append(stream.finish());
      assertThat(text.toString()).isEqualTo(stream.text()).isEqualTo(tokenizer.decode(ids));
    }
  }
}
