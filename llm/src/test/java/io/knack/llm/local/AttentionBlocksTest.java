package io.knack.llm.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.knack.llm.Completion;
import io.knack.llm.Fixtures;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prompts that are read once for all samples, and rows that look only as far as they must. */
class AttentionBlocksTest {
  private static final LocalOptions F32 = LocalOptions.defaults().withDtype(DType.F32);

  private static GenerationRequest request(
      int number, int length, @Nullable String adapter, int samples, int tokens) {
    return new GenerationRequest(
        new Prompt.Ids(Fixtures.prompt(number, length)),
        adapter,
        samples,
        new Sampling(tokens, 1, 1, 0, List.of(), 5L, Sampling.Logprobs.COMPLETION));
  }

  private static LocalModel open(String name, LocalOptions options) {
    LocalModel model = LocalModel.load(Fixtures.checkpoint(name), options);
    model.loadAdapter("everywhere", Fixtures.adapter(name, "everywhere"));
    return model;
  }

  /** What a prefill, which shares nothing, says of the same tokens. */
  private static List<Float> scored(LocalModel model, GenerationRequest request, Sample sample) {
    List<Integer> ids = new ArrayList<>(((Prompt.Ids) request.prompt()).ids());
    int prompt = ids.size();
    ids.addAll(sample.ids());
    Sampling scoring =
        new Sampling(1, 0, 1, 0, List.of(), 5L, Sampling.Logprobs.PROMPT_AND_COMPLETION);
    Completion completion =
        model
            .generate(
                List.of(new GenerationRequest(new Prompt.Ids(ids), request.adapter(), 1, scoring)))
            .get(0);
    return Objects.requireNonNull(completion.promptLogprobs()).subList(prompt, ids.size());
  }

  @ParameterizedTest
  @CsvSource({"llama2, 130", "llama3, 200", "qwen3, 191", "mistral, 150", "qwen2, 140"})
  void logProbabilitiesAreThoseOfAPrefill(String name, int length) {
    try (LocalModel model = open(name, F32)) {
      // 21 samples are more than are computed together; the request beside them shares nothing.
      List<GenerationRequest> requests =
          List.of(
              request(1, length, null, 21, 20),
              request(2, 40, "everywhere", 3, 60),
              request(3, length + 30, "everywhere", 5, 70));
      List<Completion> completions = model.generate(requests);
      for (int i = 0; i < requests.size(); i++) {
        for (Sample sample : completions.get(i).samples()) {
          List<Float> expected = scored(model, requests.get(i), sample);
          for (int t = 0; t < sample.ids().size(); t++) {
            assertThat(Objects.requireNonNull(sample.logprobs()).get(t))
                .as("request %d, sample %d, token %d", i, sample.index(), t)
                .isCloseTo(expected.get(t), within(1e-4f));
          }
        }
      }
    }
  }

  private static List<List<Integer>> ids(Completion completion) {
    return completion.samples().stream().map(Sample::ids).toList();
  }

  /** Samples of a queue begin one after the other, and the longest says how far all look. */
  @Test
  void aSampleIsBitwiseTheSameWhoeverSharesItsPrompt() {
    List<GenerationRequest> requests =
        List.of(
            request(1, 150, null, 16, 90),
            request(2, 131, "everywhere", 9, 50),
            request(3, 20, null, 2, 80),
            request(4, 180, "everywhere", 4, 60));
    try (LocalModel wide = open("llama2", F32.withMaxBatch(32));
        LocalModel narrow = open("llama2", F32.withMaxBatch(5))) {
      List<Completion> together = wide.generate(requests);
      List<Completion> queued = narrow.generate(requests);
      assertThat(together.get(0).samples().stream().map(s -> s.ids().size()).distinct().count())
          .as("samples end at different places, so that rows move")
          .isGreaterThan(1);
      for (int i = 0; i < requests.size(); i++) {
        Completion alone = wide.generate(List.of(requests.get(i))).get(0);
        assertThat(alone.samples()).as("request %d", i).isEqualTo(together.get(i).samples());
        assertThat(ids(queued.get(i))).as("queued request %d", i).isEqualTo(ids(together.get(i)));
      }
      Completion more = wide.generate(List.of(request(1, 150, null, 40, 90))).get(0);
      assertThat(ids(more).subList(0, 16)).isEqualTo(ids(together.get(0)));
    }
  }

  @Test
  void rowsAreCutIntoRunsWhereItSavesReading() {
    long place = 2048;
    assertThat(AttentionBlocks.runs(new int[] {64, 64, 128, 64}, place)).containsExactly(4);
    assertThat(AttentionBlocks.runs(new int[] {64, 64, 2048, 64, 64}, place))
        .containsExactly(2, 3, 5);
    assertThat(AttentionBlocks.runs(new int[] {1024, 1024, 64, 64}, place)).containsExactly(2, 4);
    assertThat(AttentionBlocks.runs(new int[] {64, 2048, 64}, 0))
        .as("where length costs nothing")
        .containsExactly(3);
    assertThat(AttentionBlocks.runs(new int[0], place)).isEmpty();
  }

  /** Enough short rows around a long one that the long one is a run of its own. */
  @Test
  void aRowIsBitwiseTheSameAloneAndAmongRowsOfOtherLengths() {
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      requests.add(request(i, i == 25 ? 380 : 6 + i, i % 3 == 0 ? "everywhere" : null, 1, 40));
    }
    try (LocalModel model = open("llama3", F32.withMaxBatch(60))) {
      int[] looks = requests.stream().mapToInt(r -> KvCache.step(prompt(r) + 1)).toArray();
      long place = KvCache.bytesPerToken(model.config(), DType.F32) / model.config().layers();
      assertThat(AttentionBlocks.runs(looks, place).length).isGreaterThan(1);
      List<Completion> together = model.generate(requests);
      for (int i = 0; i < requests.size(); i++) {
        Completion alone = model.generate(List.of(requests.get(i))).get(0);
        assertThat(alone.samples()).as("request %d", i).isEqualTo(together.get(i).samples());
      }
      Sample longest = together.get(25).samples().get(0);
      List<Float> expected = scored(model, requests.get(25), longest);
      for (int t = 0; t < expected.size(); t++) {
        assertThat(Objects.requireNonNull(longest.logprobs()).get(t))
            .isCloseTo(expected.get(t), within(1e-4f));
      }
    }
  }

  private static int prompt(GenerationRequest request) {
    return ((Prompt.Ids) request.prompt()).ids().size();
  }
}
