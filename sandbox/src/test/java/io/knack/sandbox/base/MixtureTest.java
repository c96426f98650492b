package io.knack.sandbox.base;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.llm.text.Tokenizer;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MixtureTest {
  private final Mixture mixture = new Mixture(1);

  @Test
  void aTextIsAFunctionOfSeedAndNumber() {
    assertThat(new Mixture(1).text(12_345)).isEqualTo(mixture.text(12_345));
    assertThat(new Mixture(2).text(12_345)).isNotEqualTo(mixture.text(12_345));
  }

  @Test
  void skillsHaveTheirShares() {
    Map<Skill, Integer> counts = new EnumMap<>(Skill.class);
    int texts = 20_000;
    for (int n = 100_000; n < 100_000 + texts; n++) {
      counts.merge(mixture.text(n).skill(), 1, Integer::sum);
    }
    for (Skill skill : Skill.values()) {
      assertThat(counts.getOrDefault(skill, 0) * 100.0 / texts)
          .isBetween(skill.share() - 1.2, skill.share() + 1.2);
    }
  }

  @Test
  void everyTextFitsTheModel() {
    ShopVocabulary vocabulary = ShopVocabulary.survey(mixture);
    assertThat(vocabulary.size()).isLessThan(1024);
    for (int n = 0; n < 5_000; n++) {
      Mixture.Text text = mixture.text(n * 37L);
      int tokens =
          vocabulary.encode(text.prompt()).size() + vocabulary.encode(text.completion()).size();
      assertThat(tokens).isLessThan(BaseModel.POSITIONS);
    }
  }

  @Test
  void theTokenizerFileCutsAsTheVocabularyDoes(@TempDir Path directory) throws Exception {
    ShopVocabulary vocabulary = ShopVocabulary.survey(mixture);
    new BaseModel(1).writeTokenizer(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory)) {
      for (int n = 0; n < 300; n++) {
        Mixture.Text text = mixture.text(n * 1_001L);
        String whole = text.prompt() + text.completion();
        List<Integer> ids = tokenizer.encode(whole, Tokenizer.Specials.NONE);
        assertThat(ids).isEqualTo(vocabulary.encode(whole));
        assertThat(tokenizer.decode(ids)).isEqualTo(whole);
      }
      String foreign = "Zwölf Äpfel für 3 € — 你好";
      assertThat(tokenizer.decode(tokenizer.encode(foreign, Tokenizer.Specials.NONE)))
          .isEqualTo(foreign);
    }
  }

  @Test
  void examQuestionsAcceptTheRightReplyOnly() {
    Exam exam = new Exam(5);
    for (Exam.Part part : Exam.Part.values()) {
      Exam.Question question = exam.question(part, 3);
      String right = question.whole() ? question.expected() : "1+1=2\nA: " + question.expected();
      assertThat(question.accepts(right)).as(part.name()).isTrue();
      assertThat(question.accepts("A: 999")).as(part.name()).isFalse();
    }
  }
}
