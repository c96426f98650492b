package io.knack.llm.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.llm.Fixtures;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Native memory belongs to nobody's garbage collector: whatever is taken must be given back. The
 * work is done in a process of its own whose heap is resident from the start, so that whatever
 * grows is native.
 */
@EnabledOnOs(OS.LINUX)
class NativeMemoryTest {
  private static final long BOUND = 64L << 20;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tenThousandStepsAndAThousandAdaptersLeaveNothingBehind(boolean vectors) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms192m",
                "-Xmx192m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path")));
    if (vectors) {
      command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    }
    command.add(NativeMemoryTest.class.getName());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    List<String> lines = output.lines().filter(line -> line.startsWith("growth ")).toList();
    assertThat(lines).hasSize(2);
    assertThat(lines)
        .allSatisfy(line -> assertThat(Long.parseLong(line.substring(7))).isLessThan(BOUND));
  }

  public static void main(String[] args) throws IOException {
    LocalOptions options = LocalOptions.defaults().withDtype(DType.F32).withMaxBatch(4);
    try (LocalModel model = LocalModel.load(Fixtures.checkpoint("llama2"), options)) {
      model.loadAdapter("a", Fixtures.adapter("llama2", "attention"));
      decode(model, 1200);
      long before = residentBytes();
      decode(model, 10_000);
      System.out.println("growth " + (residentBytes() - before));
      adapters(model, 100);
      before = residentBytes();
      adapters(model, 1000);
      System.out.println("growth " + (residentBytes() - before));
    }
  }

  private static long residentBytes() throws IOException {
    System.gc();
    return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", -1)[1]) * 4096;
  }

  /** At least this many steps of the batch, whose samples may end early. */
  private static void decode(LocalModel model, int steps) {
    int round = 0;
    for (long done = 0; done < steps; round++) {
      Sampling sampling = Sampling.seeded(400, 1, round);
      Prompt one = new Prompt.Ids(Fixtures.prompt(round, 8));
      Prompt two = new Prompt.Ids(Fixtures.prompt(round, 5));
      Prompt shared = new Prompt.Ids(Fixtures.prompt(round, 130));
      done +=
          model
              .generate(
                  List.of(
                      new GenerationRequest(one, round % 2 == 0 ? null : "a", 1, sampling),
                      new GenerationRequest(two, null, 1, sampling),
                      new GenerationRequest(shared, null, 4, Sampling.seeded(40, 1, round))))
              .stream()
              .mapToLong(completion -> completion.usage().completionTokens())
              .max()
              .orElse(1);
    }
  }

  private static void adapters(LocalModel model, int times) {
    for (int i = 0; i < times; i++) {
      model.loadAdapter("b", Fixtures.adapter("llama2", "everywhere"));
      model.generate(
          List.of(
              new GenerationRequest(new Prompt.Ids(List.of(1, 2)), "b", 1, Sampling.greedy(2))));
      model.unloadAdapter("b");
    }
  }
}
