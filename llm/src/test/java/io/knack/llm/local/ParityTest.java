package io.knack.llm.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.llm.Completion;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Against transformers and peft on random tiny checkpoints; see make_fixtures.py for how they are
 * scaled so that a missing option shows.
 */
class ParityTest {
  private static final double TOLERANCE = 1e-4;
  private static final List<String> ADAPTERS = List.of("attention", "everywhere");

  private static Path directory(String name) {
    return Path.of("src/test/resources/parity", name);
  }

  private static JsonNode expected(String name) throws IOException {
    return new ObjectMapper().readTree(directory(name).resolve("expected.json").toFile());
  }

  private static GenerationRequest greedy(JsonNode expectation, @Nullable String adapter) {
    List<Integer> prompt = new ArrayList<>();
    expectation.path("prompt_ids").forEach(id -> prompt.add(id.intValue()));
    return new GenerationRequest(
        new Prompt.Ids(prompt),
        adapter,
        1,
        new Sampling(64, 0, 1, 0, List.of(), null, Sampling.Logprobs.PROMPT_AND_COMPLETION));
  }

  private static void same(JsonNode expectation, Completion completion, String what) {
    List<Integer> ids = new ArrayList<>();
    expectation.path("ids").forEach(id -> ids.add(id.intValue()));
    assertThat(difference(expectation.path("prompt_logprobs"), completion))
        .as(what)
        .isLessThan(TOLERANCE);
    assertThat(completion.samples().get(0).ids()).as(what).isEqualTo(ids);
  }

  private static double difference(JsonNode logprobs, Completion completion) {
    List<Float> found = scores(completion);
    assertThat(found).hasSize(logprobs.size());
    double worst = 0;
    for (int i = 1; i < logprobs.size(); i++) {
      worst = Math.max(worst, Math.abs(found.get(i) - logprobs.get(i).doubleValue()));
    }
    return worst;
  }

  private static List<Float> scores(Completion completion) {
    List<Float> scores = new ArrayList<>();
    for (Float score : Objects.requireNonNull(completion.promptLogprobs())) {
      scores.add(score == null ? 0 : score);
    }
    return scores;
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2", "llama3", "llama-linear", "mistral", "qwen2", "qwen3"})
  void agreesAloneAndInMixedBatches(String name) throws IOException {
    JsonNode expected = expected(name);
    try (LocalModel model =
        LocalModel.load(directory(name), LocalOptions.defaults().withDtype(DType.F32))) {
      List<GenerationRequest> mixed = new ArrayList<>();
      List<JsonNode> answers = new ArrayList<>();
      for (String adapter : ADAPTERS) {
        model.loadAdapter(adapter, directory(name).resolve("adapters").resolve(adapter));
      }
      for (int i = 0; i < 3; i++) {
        for (String key : List.of("base", "attention", "everywhere")) {
          JsonNode answer = expected.path(key).get(i);
          mixed.add(greedy(answer, key.equals("base") ? null : key));
          answers.add(answer);
        }
      }
      List<Completion> together = model.generate(mixed);
      for (int i = 0; i < mixed.size(); i++) {
        String what = name + " prompt " + i / 3 + " adapter " + mixed.get(i).adapter();
        same(answers.get(i), model.generate(List.of(mixed.get(i))).get(0), what + " alone");
        same(answers.get(i), together.get(i), what + " in a mixed batch");
      }
    }
    assertThat(expected.path("effect").doubleValue()).isGreaterThan(10 * TOLERANCE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2", "llama3", "llama-linear", "mistral", "qwen2", "qwen3"})
  void bfloat16StaysAsCloseAsTransformersDoes(String name) throws IOException {
    JsonNode expected = expected(name);
    try (LocalModel model =
        LocalModel.load(directory(name), LocalOptions.defaults().withDtype(DType.BF16))) {
      double worst = 0;
      int count = 0;
      double theirs = 0;
      double apart = 0;
      for (int i = 0; i < 3; i++) {
        JsonNode exact = expected.path("base").get(i).path("prompt_logprobs");
        JsonNode half = expected.path("bfloat16").get(i);
        Completion completion =
            model.generate(List.of(greedy(expected.path("base").get(i), null))).get(0);
        for (int j = 1; j < exact.size(); j++) {
          double gap = Math.abs(scores(completion).get(j) - exact.get(j).doubleValue());
          worst = Math.max(worst, gap);
          count++;
          apart += Math.abs(scores(completion).get(j) - half.get(j).doubleValue());
          theirs =
              Math.max(theirs, Math.abs(half.get(j).doubleValue() - exact.get(j).doubleValue()));
        }
      }
      assertThat(apart / count).as("mean distance to transformers in bfloat16").isLessThan(2e-2);
      assertThat(worst).as("worst against float32").isLessThan(1.5 * theirs);
    }
  }
}
