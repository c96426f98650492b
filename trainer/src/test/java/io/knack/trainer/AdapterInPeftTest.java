package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.store.Jsons;
import io.knack.llm.Completion;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An adapter trained here, read by PEFT: {@code src/test/python/peft_loads_adapter.py} loaded the
 * one in {@code peft/java} and wrote what it says of eight rows.
 */
class AdapterInPeftTest {
  private static final Path FIXTURES = Path.of("src/test/resources/peft");

  @TempDir Path directory;

  @Test
  void theAdapterThatPeftReadIsTheOneTrainedHere() throws Exception {
    Path trained = PeftParityTest.trainPlain(directory);
    PeftParityTest.assertSame(trained, FIXTURES.resolve("java"), 1e-4);
  }

  @Test
  void peftSaysOfItWhatWeSay() throws Exception {
    JsonNode said = Jsons.mapper().readTree(FIXTURES.resolve("java/logprobs.json").toFile());
    JsonNode rows = Jsons.mapper().readTree(FIXTURES.resolve("runs.json").toFile()).path("rows");
    Sampling scored =
        new Sampling(1, 0, 1, 0, List.of(), null, Sampling.Logprobs.PROMPT_AND_COMPLETION);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int n = 0; n < said.size(); n++) {
      List<Integer> ids = new ArrayList<>();
      rows.path(n).path("ids").forEach(id -> ids.add(id.asInt()));
      requests.add(new GenerationRequest(new Prompt.Ids(ids), "java", 1, scored));
    }
    LocalOptions options = LocalOptions.defaults().withDtype(DType.F32).withMaxBatch(8);
    try (LocalModel model = LocalModel.load(FIXTURES.resolve("base"), options)) {
      model.loadAdapter("java", FIXTURES.resolve("java"));
      List<Completion> completions = model.generate(requests);
      assertThat(completions).hasSize(8);
      for (int n = 0; n < said.size(); n++) {
        List<Float> ours = Objects.requireNonNull(completions.get(n).promptLogprobs());
        for (int i = 0; i < said.path(n).size(); i++) {
          assertThat(ours.get(i + 1))
              .isCloseTo(
                  (float) said.path(n).path(i).asDouble(),
                  org.assertj.core.data.Offset.offset(1e-4f));
        }
      }
    }
  }
}
