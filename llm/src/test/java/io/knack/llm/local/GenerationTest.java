package io.knack.llm.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.Fixtures;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The continuous batch: nobody's tokens depend on the company, and whatever starts also ends. */
class GenerationTest {
  private static final LocalOptions F32 = LocalOptions.defaults().withDtype(DType.F32);

  private static LocalModel open(String name, LocalOptions options) {
    return LocalModel.load(Fixtures.checkpoint(name), options);
  }

  private static Sampling sampling(
      int tokens, double temperature, double topP, int topK, String... stop) {
    return new Sampling(
        tokens, temperature, topP, topK, List.of(stop), 5L, Sampling.Logprobs.COMPLETION);
  }

  private static GenerationRequest request(
      int number, int length, @Nullable String adapter, int samples, Sampling sampling) {
    return new GenerationRequest(
        new Prompt.Ids(Fixtures.prompt(number, length)), adapter, samples, sampling);
  }

  private static List<List<Integer>> ids(Completion completion) {
    return completion.samples().stream().map(Sample::ids).toList();
  }

  /** Some listeners throw when they are told, some ask again: neither keeps the others waiting. */
  @Test
  void closingTellsEveryListenerWhateverItDoes() {
    try (LocalModel model = open("llama2", F32)) {
      GenerationSession session = model.open();
      List<String> heard = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        GenerationRequest request = request(i, 3, null, 1, sampling(4, 0, 1, 0));
        String name = "request " + i;
        session.submit(
            request,
            new GenerationListener() {
              @Override
              public void completed(Completion completion) {
                heard.add(name);
                session.submit(request, new GenerationListener() {});
                throw new IllegalStateException(name);
              }
            });
      }
      assertThatThrownBy(session::close)
          .hasMessage("request 0")
          .satisfies(thrown -> assertThat(thrown.getSuppressed()).hasSize(2));
      assertThat(heard).containsExactly("request 0", "request 1", "request 2");
    }
  }

  /** To the last bit, whatever adapters of other ranks are in the batch and wherever they stand. */
  @Test
  void anAdaptersNumbersDoNotDependOnOtherAdapters() {
    try (LocalModel model = open("llama2", F32)) {
      for (String adapter : List.of("attention", "everywhere")) {
        model.loadAdapter(adapter, Fixtures.adapter("llama2", adapter));
      }
      Sampling scored =
          new Sampling(8, 0, 1, 0, List.of(), null, Sampling.Logprobs.PROMPT_AND_COMPLETION);
      for (String adapter : model.adapters()) {
        GenerationRequest one = request(3, 5, adapter, 1, scored);
        Completion alone = model.generate(List.of(one)).get(0);
        List<GenerationRequest> many = new ArrayList<>(List.of(one));
        model.adapters().forEach(other -> many.add(request(4, 3, other, 1, scored)));
        Completion together = model.generate(many).get(0);
        assertThat(together.promptLogprobs()).isEqualTo(alone.promptLogprobs());
        assertThat(together.samples()).isEqualTo(alone.samples());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2", "mistral", "qwen2", "qwen3"})
  void aSampleIsTheSameAloneAndAmongOthers(String name) {
    try (LocalModel model = open(name, F32)) {
      for (String adapter : List.of("attention", "everywhere")) {
        model.loadAdapter(adapter, Fixtures.adapter(name, adapter));
      }
      List<GenerationRequest> requests = new ArrayList<>();
      String[] adapters = {null, "attention", "everywhere"};
      for (int i = 0; i < 16; i++) {
        // Temperatures, cuts, lengths and adapters all mixed; two samples each: 32 rows.
        Sampling drawn =
            sampling(10 + 3 * i, i % 4 == 0 ? 0 : 1.1, i % 3 == 0 ? 0.9 : 1, i % 5 == 0 ? 20 : 0);
        requests.add(request(i, 3 + 7 * i, adapters[i % 3], 2, drawn));
      }
      List<Completion> together = model.generate(requests);
      for (int i = 0; i < requests.size(); i++) {
        Completion alone = model.generate(List.of(requests.get(i))).get(0);
        assertThat(ids(together.get(i))).as("request %d", i).isEqualTo(ids(alone));
      }
      // The same in batches that are refilled from a queue.
      try (LocalModel narrow = open(name, F32.withMaxBatch(3))) {
        for (String adapter : List.of("attention", "everywhere")) {
          narrow.loadAdapter(adapter, Fixtures.adapter(name, adapter));
        }
        List<Completion> queued = narrow.generate(requests);
        for (int i = 0; i < requests.size(); i++) {
          assertThat(ids(queued.get(i))).as("queued request %d", i).isEqualTo(ids(together.get(i)));
        }
      }
    }
  }

  /** Asks the same again, with another seed, each time an answer is there. */
  private static final class Again implements GenerationListener {
    private final GenerationSession session;
    private final int number;
    private final @Nullable String adapter;
    private final List<List<Integer>> ids = new ArrayList<>();
    private long cached;
    private long prompt;

    Again(GenerationSession session, int number, @Nullable String adapter) {
      this.session = session;
      this.number = number;
      this.adapter = adapter;
    }

    void ask() {
      var unused = session.submit(again(number, adapter, ids.size()), this);
    }

    @Override
    public void sampled(Sample sample) {
      ids.add(sample.ids());
      if (ids.size() < 5) {
        ask();
      }
    }

    @Override
    public void completed(Completion completion) {
      cached += completion.usage().cachedPromptTokens();
      prompt += completion.usage().promptTokens();
    }
  }

  private static GenerationRequest again(int number, @Nullable String adapter, long seed) {
    Sampling drawn =
        new Sampling(6 + number, 1.1, 1, 0, List.of(), seed, Sampling.Logprobs.COMPLETION);
    return request(number, 9 + number, adapter, 1, drawn);
  }

  @Test
  void whoAsksTheSameAgainGoesOnWhereThePromptIs() {
    try (LocalModel model = open("llama2", F32.withMaxBatch(4))) {
      model.loadAdapter("everywhere", Fixtures.adapter("llama2", "everywhere"));
      List<Again> askers = new ArrayList<>();
      try (GenerationSession session = model.open()) {
        for (int i = 0; i < 7; i++) {
          Again asker = new Again(session, i, i % 2 == 0 ? "everywhere" : null);
          askers.add(asker);
          asker.ask();
        }
        session.run();
      }
      for (Again asker : askers) {
        assertThat(asker.prompt).isEqualTo(5L * (9 + asker.number));
        assertThat(asker.cached).isEqualTo(4L * (9 + asker.number));
        for (int i = 0; i < 5; i++) {
          Completion alone = model.generate(List.of(again(asker.number, asker.adapter, i))).get(0);
          assertThat(alone.usage().cachedPromptTokens()).isZero();
          assertThat(asker.ids.get(i)).as("%d/%d", asker.number, i).isEqualTo(ids(alone).get(0));
        }
      }
    }
  }

  @Test
  void aPromptThatItsCallerAskedBeforeIsBookedAsCachedWhoeverCameBetween() {
    try (LocalModel model = open("llama2", F32)) {
      GenerationRequest first = again(3, null, 1);
      Completion repeated =
          model
              .generate(
                  List.of(
                      first,
                      new GenerationRequest(
                          first.prompt(), first.adapter(), 1, first.sampling(), true)))
              .get(1);
      assertThat(repeated.usage().promptTokens()).isEqualTo(12);
      assertThat(repeated.usage().cachedPromptTokens()).isEqualTo(12);
    }
  }

  @Test
  void drawsFollowTheDistributionAndItsCuts() {
    int n = 600;
    try (LocalModel model = open("llama2", F32)) {
      Completion drawn =
          model.generate(List.of(request(1, 9, null, n, sampling(1, 1, 1, 0)))).get(0);
      Map<Integer, Integer> counts = new HashMap<>();
      Map<Integer, Double> odds = new HashMap<>();
      for (Sample sample : drawn.samples()) {
        if (!sample.ids().isEmpty()) {
          counts.merge(sample.ids().get(0), 1, Integer::sum);
          odds.put(sample.ids().get(0), Math.exp(Objects.requireNonNull(sample.logprobs()).get(0)));
        }
      }
      assertThat(counts.size()).isGreaterThan(3);
      counts.forEach(
          (token, count) -> {
            double p = odds.getOrDefault(token, 0.0);
            assertThat(Math.abs(count - n * p))
                .as("token %d", token)
                .isLessThan(5 * Math.sqrt(n * p * (1 - p)) + 3);
          });
      List<Integer> likely =
          odds.entrySet().stream()
              .sorted(Map.Entry.<Integer, Double>comparingByValue().reversed())
              .map(Map.Entry::getKey)
              .toList();
      Completion cut = model.generate(List.of(request(1, 9, null, n, sampling(1, 1, 1, 2)))).get(0);
      assertThat(cut.samples())
          .allSatisfy(sample -> assertThat(likely.subList(0, 2)).containsAll(sample.ids()));
      // The most likely token alone reaches a share just below its own probability.
      double most = odds.getOrDefault(likely.get(0), 0.0);
      Completion nucleus =
          model.generate(List.of(request(1, 9, null, 50, sampling(1, 1, 0.99 * most, 0)))).get(0);
      assertThat(nucleus.samples())
          .allSatisfy(s -> assertThat(s.ids()).isEqualTo(likely.subList(0, 1)));
    }
  }

  @Test
  void thousandsOfOneTokenSamplesEndOneAfterTheOther() {
    try (LocalModel model = open("llama2", F32.withMaxBatch(1))) {
      Completion completion =
          model.generate(List.of(request(2, 4, null, 3000, Sampling.seeded(1, 1, 3)))).get(0);
      assertThat(completion.samples()).hasSize(3000);
      assertThat(completion.usage().completionTokens()).isEqualTo(3000);
      assertThat(completion.usage().promptTokens()).isEqualTo(4);
    }
  }

  @Test
  void stopStringsEndASampleAndAreCutOff() {
    try (LocalModel model = open("llama2", F32)) {
      GenerationRequest free = request(3, 6, null, 1, sampling(40, 0, 1, 0));
      Sample whole = model.generate(List.of(free)).get(0).samples().get(0);
      String stop = whole.text().substring(4, 6);
      Sample cut =
          model
              .generate(List.of(request(3, 6, null, 1, sampling(40, 0, 1, 0, "never!", stop))))
              .get(0)
              .samples()
              .get(0);
      assertThat(cut.finishReason()).isEqualTo(FinishReason.STOP);
      assertThat(cut.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));
      assertThat(cut.completionTokens()).isLessThan(whole.completionTokens());
    }
  }

  /** Collects, and cancels its request as soon as a number of samples is in. */
  private static final class Collector implements GenerationListener {
    private final int enough;
    private final List<Sample> samples = new ArrayList<>();
    private GenerationSession.@Nullable Handle handle;
    private @Nullable Completion completion;

    Collector(int enough) {
      this.enough = enough;
    }

    @Override
    public void sampled(Sample sample) {
      samples.add(sample);
      if (samples.size() == enough && handle != null) {
        handle.cancel();
      }
    }

    @Override
    public void completed(Completion done) {
      assertThat(completion).isNull();
      completion = done;
    }
  }

  @Test
  void cancellationStopsTheRestAtOnceAndNobodyElse() {
    try (LocalModel model = open("llama2", F32.withMaxBatch(8));
        GenerationSession session = model.open()) {
      GenerationRequest other = request(4, 5, null, 1, sampling(30, 1, 1, 0));
      Collector first = new Collector(1);
      Collector second = new Collector(Integer.MAX_VALUE);
      first.handle = session.submit(request(1, 5, null, 40, sampling(200, 1, 1, 0)), first);
      session.submit(other, second);
      session.run();
      assertThat(first.samples).hasSize(40);
      assertThat(Objects.requireNonNull(first.completion).samples()).hasSize(40);
      long cancelled =
          first.samples.stream().filter(s -> s.finishReason() == FinishReason.CANCELLED).count();
      assertThat(cancelled).isGreaterThan(20);
      assertThat(first.completion.usage().completionTokens())
          .isEqualTo(first.samples.stream().mapToLong(Sample::completionTokens).sum())
          .isLessThan(40 * 200);
      assertThat(ids(Objects.requireNonNull(second.completion)))
          .isEqualTo(ids(model.generate(List.of(other)).get(0)));
    }
  }

  @Test
  void closingCancelsWhatNeverBegan() {
    try (LocalModel model = open("llama2", F32)) {
      Collector waiting = new Collector(Integer.MAX_VALUE);
      try (GenerationSession session = model.open()) {
        session.submit(request(1, 5, null, 3, sampling(20, 1, 1, 0)), waiting);
      }
      assertThat(waiting.samples).hasSize(3);
      assertThat(waiting.samples)
          .allSatisfy(s -> assertThat(s.finishReason()).isEqualTo(FinishReason.CANCELLED));
      assertThat(waiting.completion).isNotNull();
    }
  }

  @Test
  void aCacheThatWouldNotFitIsRefusedWithTheArithmetic() {
    LocalOptions tight = new LocalOptions(DType.F32, "cpu", 0, 16, 200_000);
    try (LocalModel model = open("llama2", tight)) {
      assertThatThrownBy(
              () -> model.generate(List.of(request(1, 300, null, 1, sampling(200, 0, 1, 0)))))
          .isInstanceOf(PlanException.class)
          .hasMessageContaining("2 layers x 2 heads x 8 wide x 4 bytes")
          .hasMessageContaining("200,000 may be used");
      // What does fit still runs, after the refusal too.
      assertThat(
              model
                  .generate(List.of(request(1, 5, null, 2, sampling(8, 1, 1, 0))))
                  .get(0)
                  .samples())
          .hasSize(2);
    }
  }

  @Test
  void aLongRequestWaitsWhereGrowingWouldEvictWhatRuns() {
    // 256 bytes a token: 17 rows of 64 tokens fit, or 5 of 192.
    LocalOptions tight = new LocalOptions(DType.F32, "cpu", 0, 16, 17 * 64 * 256);
    try (LocalModel model = open("llama2", tight);
        LocalModel roomy = open("llama2", F32)) {
      GenerationRequest many = request(1, 5, null, 16, sampling(50, 1, 1, 0));
      GenerationRequest large = request(2, 100, null, 2, sampling(80, 1, 1, 0));
      Map<String, Completion> found = new HashMap<>();
      try (GenerationSession session = model.open()) {
        session.submit(
            many,
            new GenerationListener() {
              private boolean asked;

              @Override
              public void sampled(Sample sample) {
                if (!asked) {
                  asked = true;
                  session.submit(large, keep(found, "large"));
                }
              }

              @Override
              public void completed(Completion completion) {
                found.put("many", completion);
              }
            });
        session.run();
      }
      assertThat(ids(Objects.requireNonNull(found.get("many"))))
          .isEqualTo(ids(roomy.generate(List.of(many)).get(0)));
      assertThat(ids(Objects.requireNonNull(found.get("large"))))
          .isEqualTo(ids(roomy.generate(List.of(large)).get(0)));
    }
  }

  private static GenerationListener keep(Map<String, Completion> found, String name) {
    return new GenerationListener() {
      @Override
      public void completed(Completion completion) {
        found.put(name, completion);
      }
    };
  }

  @Test
  void numbersThatAreNotFiniteEndARequestAndAreNamed(@TempDir Path directory) throws IOException {
    Path adapter =
        Fixtures.copy(Fixtures.adapter("llama2", "everywhere"), directory.resolve("big"));
    Path config = adapter.resolve("adapter_config.json");
    Files.writeString(
        config,
        Files.readString(config).replaceFirst("\"lora_alpha\": [0-9.]+", "\"lora_alpha\": 1e38"));
    try (LocalModel model =
        LocalModel.load(
            Fixtures.checkpoint("llama2"), LocalOptions.defaults().withDtype(DType.F32))) {
      model.loadAdapter("big", adapter);
      GenerationRequest request =
          new GenerationRequest(
              new Prompt.Ids(Fixtures.prompt(1, 9)), "big", 2, Sampling.greedy(8));
      assertThatThrownBy(() -> model.generate(List.of(request)))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining(
              "model 'llama2' with adapter 'big' computes NaN or infinite logits");
    }
  }

  /** Against transformers: see make_repetition.py; half of the rows sample, the rest are greedy. */
  @ParameterizedTest
  @ValueSource(strings = {"llama3", "mistral", "qwen2", "qwen3"})
  void theCheckpointsRepetitionPenaltyIsApplied(String name, @TempDir Path directory)
      throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(Path.of("src/test/resources/repetition.json").toFile());
    Path copy = Fixtures.copy(Fixtures.checkpoint(name), directory.resolve(name));
    Files.writeString(
        copy.resolve("generation_config.json"),
        "{\"eos_token_id\": 256, \"repetition_penalty\": " + expected.path("penalty") + "}");
    try (LocalModel model = LocalModel.load(copy, F32)) {
      List<GenerationRequest> requests = new ArrayList<>();
      for (JsonNode known : expected.path("checkpoints").path(name)) {
        Prompt prompt = new Prompt.Ids(ints(known.path("prompt_ids")));
        requests.add(new GenerationRequest(prompt, null, 1, sampling(64, 0, 1, 0)));
        requests.add(new GenerationRequest(prompt, null, 2, sampling(20, 1, 0.9, 0)));
      }
      List<Completion> completions = model.generate(requests);
      int i = 0;
      for (JsonNode known : expected.path("checkpoints").path(name)) {
        assertThat(ids(completions.get(i))).containsExactly(ints(known.path("ids")));
        Sample greedy = completions.get(i).samples().get(0);
        // Log-probabilities are those without the penalty.
        assertScores(model, requests.get(i), greedy);
        assertScores(model, requests.get(i + 1), completions.get(i + 1).samples().get(1));
        i += 2;
      }
      assertThat(i).isPositive();
    }
  }

  private static List<Integer> ints(JsonNode array) {
    List<Integer> values = new ArrayList<>();
    array.forEach(value -> values.add(value.asInt()));
    return values;
  }

  private static void assertScores(LocalModel model, GenerationRequest request, Sample sample) {
    List<Float> expected = VectorStepTest.scored(model, request, sample);
    List<Float> found = Objects.requireNonNull(sample.logprobs());
    assertThat(found).hasSameSizeAs(expected);
    for (int t = 0; t < found.size(); t++) {
      assertThat(found.get(t)).isCloseTo(expected.get(t), within(1e-4f));
    }
  }
}
