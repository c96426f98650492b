package io.knack.contracts.stage;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.cli.KnackCli;
import io.knack.contracts.store.ArtifactKind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

final class OrderlyStopTest {
  /**
   * A scheduler tries again what ended with 75, and alerts on 65 and 70: they must not be mixed up.
   */
  @ParameterizedTest
  @CsvSource({
    "returns, 0, said",
    "nothing, 99, said",
    "stops, 75, knack: stopped",
    "contract, 65, knack: not what its digest says",
    "bug, 70, IllegalStateException: cannot be",
    "disk, 75, No space left on device; try again",
    "engine, 75, import was stopped in the midst of its work (the engine is stopped); run it again",
  })
  void aVerbThatIsStoppedEndsWithItsOwnCodeAndWords(String how, int code, String words)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Verb.class.getName(),
                how)
            .redirectErrorStream(true)
            .start();
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      assertThat(output.readLine()).isEqualTo("at work");
      process.toHandle().destroy(); // leaves its streams open
      assertThat(output.lines().toList()).anyMatch(line -> line.contains(words));
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(code);
  }

  /** Works until it is told to stop. */
  @Command(name = "verb")
  public static final class Verb implements Callable<Integer> {
    @Parameters String how = "";

    public static void main(String[] arguments) {
      System.exit(KnackCli.run(new Verb(), arguments));
    }

    @Override
    public Integer call() throws IOException {
      if (how.equals("engine")) {
        Path home = Files.createTempDirectory("stopped");
        return StageRunner.run(
            new Busy(), home, null, List.of(), null, StageRunner.OutputFormat.TEXT);
      }
      try (OrderlyStop stop = new OrderlyStop()) {
        System.out.println("at work");
        while (!stop.requested()) {
          LockSupport.parkNanos(1_000_000);
        }
        switch (how) {
          case "stops" -> throw new TemporaryException("stopped");
          case "contract" -> throw new ContractException("not what its digest says");
          case "bug" -> throw new IllegalStateException("cannot be");
          case "disk" -> throw new UncheckedIOException(new IOException("No space left on device"));
          default -> {}
        }
      }
      System.out.println("said");
      return how.equals("nothing") ? 99 : 0;
    }
  }

  /** Nothing to plan. */
  public record Plan() {}

  /** A stage whose engine stops under it. */
  private static final class Busy implements Stage<Plan> {
    @Override
    public String name() {
      return "import";
    }

    @Override
    public Class<Plan> planType() {
      return Plan.class;
    }

    @Override
    public ArtifactKind produces() {
      return ArtifactKind.INTERACTIONS;
    }

    @Override
    public List<StageInput> inputs(Plan plan) {
      return List.of();
    }

    @Override
    public StageResult run(Plan plan, StageInputs inputs, StageContext context) {
      System.out.println("at work");
      while (!context.stopRequested()) {
        LockSupport.parkNanos(1_000_000);
      }
      throw new IllegalStateException("the engine is stopped\nand says where it was made");
    }
  }
}
