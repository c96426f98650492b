package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.plan.Plans;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a real process shows: SIGKILL, a write that fails, memory over time. */
class TrainingProcessTest {
  private static final List<String> PLAN =
      List.of(
          "rank=4",
          "dropout=0.1",
          "learning_rate=0.005",
          "steps=20",
          "batch_size=4",
          "workers=2",
          "checkpoint_every=3",
          "base_model_name=tiny");

  @TempDir Path directory;

  /** The process, with its errors on its output. */
  private static Process start(List<String> before, Path out, long stand, List<String> plan)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    Collections.addAll(
        command,
        "-Xms96m",
        "-Xmx96m",
        "-XX:+AlwaysPreTouch",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-cp",
        System.getProperty("java.class.path"),
        TrainingProcess.class.getName(),
        out.toString(),
        Long.toString(stand));
    command.addAll(plan);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // As the launcher sets it.
    builder
        .environment()
        .put(
            "GLIBC_TUNABLES",
            "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=8589934592");
    return builder.start();
  }

  private static List<String> lines(Process process) throws Exception {
    try (BufferedReader reader = process.inputReader()) {
      List<String> lines = reader.lines().toList();
      process.waitFor();
      return lines;
    }
  }

  /** Runs to where the process stands still and kills it there. */
  private static void kill(Process process) throws Exception {
    try (BufferedReader reader = process.inputReader()) {
      assertThat(reader.lines().anyMatch("standing"::equals)).isTrue();
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).isEqualTo(128 + 9);
  }

  private static void run(Path out) throws Exception {
    LoraTraining.run(
        Plans.read(TrainPlan.class, null, PLAN),
        Path.of("src/test/resources/peft/base"),
        TrainingProcess.tasks(),
        out,
        out.resolveSibling(out.getFileName() + "-work"),
        TrainingListener.NONE);
  }

  private static void assertSame(Path one, Path other) throws IOException {
    for (String file : List.of("a/adapter_model.safetensors", "b/adapter_model.safetensors")) {
      assertThat(Files.readAllBytes(one.resolve(file)))
          .as(file)
          .isEqualTo(Files.readAllBytes(other.resolve(file)));
    }
  }

  private static List<String> checkpoints(Path work) throws IOException {
    try (Stream<Path> files = Files.list(work)) {
      return files.map(f -> f.getFileName().toString()).filter(n -> n.startsWith("step-")).toList();
    }
  }

  @Test
  void killedAtAnyStepItGoesOnBitForBit() throws Exception {
    Path whole = directory.resolve("whole");
    run(whole);
    Path parts = directory.resolve("parts");
    for (int step : new int[] {2, 8, 13}) {
      kill(start(List.of(), parts, step, PLAN));
    }
    assertThat(checkpoints(directory.resolve("parts-work"))).containsExactly("step-12");
    run(parts);
    assertSame(parts, whole);
    assertThat(directory.resolve("parts-work")).doesNotExist();
  }

  @Test
  void aFullDiskLeavesTheLastGoodCheckpoint() throws Exception {
    Path out = directory.resolve("out");
    kill(start(List.of(), out, 8, PLAN));
    assertThat(checkpoints(directory.resolve("out-work"))).containsExactly("step-6");
    // The system refuses every byte of a file beyond the eighth KiB, as a full disk would.
    Process starved =
        start(List.of("bash", "-c", "ulimit -f 8; exec \"$@\"", "bash"), out, 0, PLAN);
    List<String> said = lines(starved);
    assertThat(starved.exitValue()).as(String.join("\n", said)).isEqualTo(75);
    assertThat(String.join("\n", said))
        .contains("the checkpoint of step 9 could not be written")
        .contains("the one before stands. Free space there and start the same command again");
    assertThat(checkpoints(directory.resolve("out-work"))).containsExactly("step-6");
    run(out);
    Path whole = directory.resolve("whole");
    run(whole);
    assertSame(out, whole);
  }
}
