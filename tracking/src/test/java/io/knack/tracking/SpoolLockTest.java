package io.knack.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpoolLockTest {
  @TempDir Path directory;

  @Test
  void aSecondTrackerOfAProcessDoesNotTakeTheLockFromTheFirst()
      throws IOException, InterruptedException {
    Path spool = directory.resolve("a.jsonl");
    try (SpoolLock lock = SpoolLock.take(spool).orElseThrow()) {
      assertThat(lock).isNotNull();
      assertThat(SpoolLock.take(directory.resolve("../" + directory.getFileName() + "/a.jsonl")))
          .isEmpty();
      assertThat(anotherProcessSees(spool)).isEqualTo("taken");
    }
    assertThat(anotherProcessSees(spool)).isEqualTo("free");
    SpoolLock.take(spool).orElseThrow().close();
  }

  private static String anotherProcessSees(Path spool) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Other.class.getName(),
                Spool.beside(spool, ".lock").toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said.strip();
  }

  /** Tries a lock and says what came of it. */
  public static final class Other {
    private Other() {}

    public static void main(String[] arguments) throws IOException {
      try (FileChannel channel =
          FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE)) {
        System.out.println(channel.tryLock() == null ? "taken" : "free");
      }
    }
  }
}
