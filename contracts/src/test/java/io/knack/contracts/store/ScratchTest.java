package io.knack.contracts.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ScratchTest {
  /** Makes a scratch directory with a file in it, says where, and waits. */
  static final class Waiting {
    private Waiting() {}

    public static void main(String[] args) throws Exception {
      Scratch scratch = Scratch.create("knack-scratch-test");
      Files.writeString(scratch.directory().resolve("file"), "x");
      System.out.println(scratch.directory());
      Thread.currentThread().join();
    }
  }

  @Test
  void isGoneWhenClosed() throws Exception {
    Path directory;
    try (Scratch scratch = Scratch.create("knack-scratch-test")) {
      directory = scratch.directory();
      Files.createDirectories(directory.resolve("a/b"));
      Files.writeString(directory.resolve("a/b/file"), "x");
    }
    assertThat(directory).doesNotExist();
  }

  @Test
  void isGoneWhenTheProcessIsAskedToEnd() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Waiting.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = process.inputReader()) {
      Path directory = Path.of(out.readLine());
      assertThat(directory.resolve("file")).exists();
      process.destroy();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(directory).doesNotExist();
    } finally {
      process.destroyForcibly();
    }
  }
}
