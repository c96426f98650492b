package io.knack.sandbox.base;

import io.knack.contracts.store.Jsons;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.train.SmallDecoders;
import io.knack.llm.train.TokenSequence;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.solve.SolverOptions;
import io.knack.trainer.FullPlan;
import io.knack.trainer.FullTraining;
import io.knack.trainer.TrainingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The recipe of the sandbox's base model: shape, vocabulary, mixture, training. */
public final class BaseModel {
  /** What serving calls it. */
  public static final String NAME = "knack-shop";

  /** Longest prompt and completion together. */
  public static final int POSITIONS = 1024;

  /** Names the mixture for checkpoints: change it whenever a text changes. */
  private static final String MIXTURE_VERSION = "2";

  /** Weight of a prompt's tokens beside a completion's: copying is learnt there too. */
  private static final float PROMPT_WEIGHT = 0.15f;

  /** A conversation in the short form of {@code practice}'s prompts. */
  private static final String CHAT_TEMPLATE =
      "{% for message in messages %}{% if message['role'] == 'user' %}Q: {{ message['content'] }}"
          + "{{ '\\n' }}{% elif message['role'] == 'assistant' %}{{ message['content'] }}"
          + ShopVocabulary.END
          + "{% endif %}{% endfor %}";

  /**
   * How it is asked, whatever the method. It values partial solutions poorly: values put thoughts
   * in an order and prune none.
   */
  public static final SolverOptions SOLVER =
      SolverOptions.defaults(PromptForm.SHORT).withMaxTokens(96).withValueThreshold(0);

  private final Mixture mixture;
  private final ShopVocabulary vocabulary;
  private final long seed;

  public BaseModel(long seed) {
    this.seed = seed;
    this.mixture = new Mixture(seed);
    this.vocabulary = ShopVocabulary.survey(mixture);
  }

  /** Shape of the shipped model: below one million parameters. */
  public ModelConfig shape() {
    return shape(128, 4, 4, 384);
  }

  /** A Llama of this mixture's vocabulary. */
  public ModelConfig shape(int hidden, int layers, int heads, int feedForward) {
    int rows = (vocabulary.size() + 7) / 8 * 8;
    return SmallDecoders.llama(
        rows,
        hidden,
        layers,
        heads,
        heads,
        feedForward,
        ModelConfig.Embeddings.TIED,
        POSITIONS,
        List.of(vocabulary.end()));
  }

  /** Trains, or goes on training; see {@link FullTraining#run}. */
  public FullTraining.Outcome train(
      FullPlan plan, ModelConfig shape, Path work, Path out, TrainingListener listener)
      throws IOException, InterruptedException {
    FullTraining.Outcome outcome =
        FullTraining.run(
            plan,
            shape,
            this::sequence,
            "shop-" + MIXTURE_VERSION + "-" + seed,
            work,
            out,
            listener);
    writeTokenizer(out);
    return outcome;
  }

  /** Text n as tokens: the completion counts, and a little of the prompt where it is sound. */
  TokenSequence sequence(long n) {
    Mixture.Text text = mixture.text(n);
    List<Integer> prompt = vocabulary.encode(text.prompt());
    List<Integer> completion = vocabulary.encode(text.completion());
    int[] ids = new int[prompt.size() + completion.size() + 1];
    float[] weights = new float[ids.length];
    float promptWeight = text.skill().promptIsSound() ? PROMPT_WEIGHT : 0;
    for (int i = 0; i < ids.length; i++) {
      boolean asked = i < prompt.size();
      ids[i] =
          asked
              ? prompt.get(i)
              : i < ids.length - 1 ? completion.get(i - prompt.size()) : vocabulary.end();
      weights[i] = asked ? promptWeight : 1;
    }
    return new TokenSequence(ids, weights, 0);
  }

  void writeTokenizer(Path out) throws IOException {
    Files.createDirectories(out);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    config.put("eos_token", ShopVocabulary.END);
    config.put("pad_token", ShopVocabulary.PAD);
    config.put("clean_up_tokenization_spaces", false);
    config.put("model_max_length", POSITIONS);
    config.put("chat_template", CHAT_TEMPLATE);
    json(out.resolve("tokenizer.json"), vocabulary.tokenizerJson());
    json(out.resolve("tokenizer_config.json"), config);
  }

  private static void json(Path file, Object value) throws IOException {
    Files.writeString(
        file, Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(value) + "\n");
  }
}
