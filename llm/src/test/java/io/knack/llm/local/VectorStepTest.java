package io.knack.llm.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.util.Float16Utils;
import io.knack.llm.Completion;
import io.knack.llm.Fixtures;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.checkpoint.SafetensorsFile;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Decode steps and short prompts in vector instructions: threads, shared prompts, stored types,
 * draws.
 */
class VectorStepTest {
  /** The sandbox's model: heads 32 wide, so that prompts are shared as products. */
  private static final Path BASE = Path.of("..", "data", "base-model");

  private static final LocalOptions F32 = LocalOptions.defaults().withDtype(DType.F32);

  private static GenerationRequest request(
      int number, int length, @Nullable String adapter, int samples, double temperature) {
    return new GenerationRequest(
        new Prompt.Ids(Fixtures.prompt(number, length)),
        adapter,
        samples,
        new Sampling(40, temperature, 1, 0, List.of(), 3L, Sampling.Logprobs.COMPLETION));
  }

  /** The log-probabilities of a sample's tokens when they are read as a prompt. */
  static List<Float> scored(LocalModel model, GenerationRequest request, Sample sample) {
    List<Integer> ids = new ArrayList<>(((Prompt.Ids) request.prompt()).ids());
    int prompt = ids.size();
    ids.addAll(sample.ids());
    Sampling scoring =
        new Sampling(1, 0, 1, 0, List.of(), 5L, Sampling.Logprobs.PROMPT_AND_COMPLETION);
    GenerationRequest whole =
        new GenerationRequest(new Prompt.Ids(ids), request.adapter(), 1, scoring);
    Completion completion = model.generate(List.of(whole)).get(0);
    return Objects.requireNonNull(completion.promptLogprobs()).subList(prompt, ids.size());
  }

  @Test
  void aPromptThatIsSharedAsAProductGivesThePrefillsLogProbabilities() {
    try (LocalModel model = LocalModel.load(BASE, F32)) {
      GenerationRequest shared = request(1, 150, null, 16, 1);
      List<GenerationRequest> requests = List.of(shared, request(2, 30, null, 2, 1));
      List<Completion> together = model.generate(requests);
      for (int i = 0; i < 2; i++) {
        for (Sample sample : together.get(i).samples()) {
          List<Float> expected = scored(model, requests.get(i), sample);
          for (int t = 0; t < sample.ids().size(); t++) {
            assertThat(Objects.requireNonNull(sample.logprobs()).get(t))
                .isCloseTo(expected.get(t), within(1e-4f));
          }
        }
      }
      assertThat(model.generate(List.of(shared)).get(0).samples())
          .isEqualTo(together.get(0).samples());
      Completion fewer = model.generate(List.of(request(1, 150, null, 5, 1))).get(0);
      assertThat(fewer.samples()).isEqualTo(together.get(0).samples().subList(0, 5));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3", "qwen2", "qwen3", "mistral"})
  void tokensAndBitsAreTheSameWithAnyNumberOfThreads(String name) {
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      requests.add(request(i, 3 + 17 * i, i % 2 == 0 ? "everywhere" : null, 1, i % 3 * 0.5));
    }
    int before = Kernels.threads();
    List<List<Sample>> found = new ArrayList<>();
    try {
      for (int threads : new int[] {1, 2, 3}) {
        // The engine's own threads stay as they are: what differs is the decode step's.
        Kernels.threads(threads);
        try (LocalModel model = LocalModel.load(Fixtures.checkpoint(name), F32)) {
          Kernels.threads(before);
          model.loadAdapter("everywhere", Fixtures.adapter(name, "everywhere"));
          found.add(model.generate(requests).stream().map(c -> c.samples().get(0)).toList());
        }
      }
    } finally {
      Kernels.threads(before);
    }
    assertThat(found.get(1)).isEqualTo(found.get(0));
    assertThat(found.get(2)).isEqualTo(found.get(0));
  }

  /** Few rows, since a processor with matrix units takes more of them with those. */
  @ParameterizedTest
  @ValueSource(strings = {"llama2", "llama3", "qwen2", "qwen3", "mistral"})
  void bfloat16StaysNearThePrefill(String name) {
    LocalOptions options = LocalOptions.defaults().withDtype(DType.BF16).withMaxBatch(4);
    try (LocalModel model = LocalModel.load(Fixtures.checkpoint(name), options)) {
      assertThat(model.vectors()).isNotNull();
      model.loadAdapter("everywhere", Fixtures.adapter(name, "everywhere"));
      List<GenerationRequest> requests =
          List.of(
              request(1, 20, null, 1, 1),
              request(2, 33, "everywhere", 2, 1),
              request(3, 7, null, 1, 0));
      List<Completion> completions = model.generate(requests);
      double apart = 0;
      int count = 0;
      for (int i = 0; i < requests.size(); i++) {
        for (Sample sample : completions.get(i).samples()) {
          List<Float> expected = scored(model, requests.get(i), sample);
          for (int t = 0; t < sample.ids().size(); t++) {
            apart += Math.abs(Objects.requireNonNull(sample.logprobs()).get(t) - expected.get(t));
            count++;
          }
        }
      }
      assertThat(apart / count).isLessThan(4e-2);
    }
  }

  /** 18 prompts of up to 32 tokens, so that passes of 64 cut some of them. */
  @ParameterizedTest
  @ValueSource(strings = {"llama3", "qwen2", "qwen3", "mistral"})
  void shortPromptsGiveThePrefillsLogProbabilitiesWhateverTheirCompanions(String name) {
    try (LocalModel model = LocalModel.load(Fixtures.checkpoint(name), F32)) {
      model.loadAdapter("everywhere", Fixtures.adapter(name, "everywhere"));
      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 18; i++) {
        requests.add(request(i, 1 + i * 31 / 17, i % 3 == 0 ? "everywhere" : null, 1, 1));
      }
      List<Completion> together = model.generate(requests);
      for (int i = 0; i < requests.size(); i++) {
        Sample sample = together.get(i).samples().get(0);
        assertThat(model.generate(List.of(requests.get(i))).get(0).samples().get(0))
            .isEqualTo(sample);
        List<Float> expected = scored(model, requests.get(i), sample);
        for (int t = 0; t < sample.ids().size(); t++) {
          assertThat(Objects.requireNonNull(sample.logprobs()).get(t))
              .isCloseTo(expected.get(t), within(1e-4f));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F16", "BF16"})
  void shorterWeightsGiveBitwiseWhatTheyGiveWidened(DType stored, @TempDir Path directory)
      throws IOException {
    List<List<Sample>> found = new ArrayList<>();
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      requests.add(request(i, 5 + 12 * i, null, 1, 1));
    }
    for (DType type : List.of(stored, DType.F32)) {
      Path copy = Fixtures.copy(Fixtures.checkpoint("llama3"), directory.resolve(type.name()));
      rewrite(copy.resolve("model.safetensors"), stored, type);
      try (LocalModel model = LocalModel.load(copy, F32)) {
        assertThat(model.weights().matrices()).isEqualTo(type);
        found.add(model.generate(requests).stream().map(c -> c.samples().get(0)).toList());
      }
    }
    assertThat(found.get(0)).isEqualTo(found.get(1));
  }

  /** Rounds a float32 file's numbers to one type and stores them as another. */
  private static void rewrite(Path file, DType rounded, DType stored) throws IOException {
    SafetensorsFile from = SafetensorsFile.open(file);
    Map<String, ByteBuffer> tensors = new TreeMap<>();
    Map<String, SafetensorsWriter.Declaration> declared = new TreeMap<>();
    for (SafetensorsFile.Entry entry : from.entries().values()) {
      ByteBuffer numbers = from.map(entry, 0, (int) entry.bytes()).order(ByteOrder.nativeOrder());
      ByteBuffer to =
          ByteBuffer.allocate((int) entry.elements() * stored.bytes())
              .order(ByteOrder.nativeOrder());
      for (int i = 0; i < entry.elements(); i++) {
        float x = numbers.getFloat(4 * i);
        short bits =
            rounded == DType.F16
                ? Float16Utils.floatToHalf(x)
                : (short) (Float.floatToRawIntBits(x) >>> 16);
        if (stored == DType.F32) {
          to.putFloat(
              rounded == DType.F16
                  ? Float16Utils.halfToFloat(bits)
                  : Float.intBitsToFloat(bits << 16));
        } else {
          to.putShort(bits);
        }
      }
      tensors.put(entry.name(), to.flip());
      declared.put(entry.name(), new SafetensorsWriter.Declaration(stored.name(), entry.shape()));
    }
    Files.delete(file);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, declared)) {
      for (Map.Entry<String, ByteBuffer> tensor : tensors.entrySet()) {
        writer.write(tensor.getKey(), tensor.getValue());
      }
    }
  }

  @Test
  void drawsAreSharesOfTheDistribution() {
    int samples = 3000;
    try (LocalModel model = LocalModel.load(BASE, F32)) {
      GenerationRequest many =
          new GenerationRequest(
              new Prompt.Ids(Fixtures.prompt(4, 12)),
              null,
              samples,
              new Sampling(2, 1, 1, 0, List.of(), 11L, Sampling.Logprobs.COMPLETION));
      // The second token is the first that a decode step draws; what it follows must be the same.
      Map<List<Integer>, Long> pairs = new HashMap<>();
      Map<Integer, Long> firsts = new HashMap<>();
      Map<List<Integer>, Float> logprobs = new HashMap<>();
      for (Sample sample : model.generate(List.of(many)).get(0).samples()) {
        firsts.merge(sample.ids().get(0), 1L, Long::sum);
        if (sample.ids().size() == 2) {
          pairs.merge(sample.ids(), 1L, Long::sum);
          logprobs.put(sample.ids(), Objects.requireNonNull(sample.logprobs()).get(1));
        }
      }
      List<Integer> common =
          pairs.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
      double n = Objects.requireNonNull(firsts.get(common.get(0)));
      double p = Math.exp(Objects.requireNonNull(logprobs.get(common)));
      assertThat(n).isGreaterThan(100);
      assertThat(Objects.requireNonNull(pairs.get(common)) / n)
          .isCloseTo(p, within(5 * Math.sqrt(p * (1 - p) / n) + 0.5 / n));
    }
  }
}
