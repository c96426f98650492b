package io.knack.scheduler;

import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Stages as children of this process, started through the launcher script. */
final class ProcessLauncher implements StageLauncher {
  /** What a stage gets to save and leave after SIGTERM, before it is killed. */
  private static final Duration LAST_PATIENCE = Duration.ofMinutes(2);

  private static final int MOST_OUTPUT = 16 << 20;

  private final Path launcher;
  private final AtomicReference<@Nullable Process> running = new AtomicReference<>();

  ProcessLauncher(Path launcher) {
    if (!Files.isExecutable(launcher)) {
      throw new PlanException(launcher + " is no launcher; start Knack through ./knack");
    }
    this.launcher = launcher;
  }

  /** The launcher that started this process. */
  static ProcessLauncher ofThisProcess() {
    String path = System.getenv("KNACK_LAUNCHER");
    return new ProcessLauncher(Path.of(path == null ? "knack" : path).toAbsolutePath());
  }

  @Override
  public StageExit launch(
      List<String> arguments, Map<String, String> environment, Duration patience, Path log)
      throws InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(launcher.toString());
    command.addAll(arguments);
    try {
      Files.createDirectories(log.toAbsolutePath().getParent());
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().putAll(environment);
      Process process =
          builder
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .start();
      running.set(process);
      try {
        AtomicReference<byte[]> output = new AtomicReference<>(new byte[0]);
        Thread reader =
            new Thread(() -> output.set(readAll(process.getInputStream())), "stage-output");
        reader.start();
        boolean ended = process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
        if (!ended) {
          process.destroy();
          if (!process.waitFor(LAST_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
          }
        }
        int code = process.waitFor();
        reader.join();
        return new StageExit(code, new String(output.get(), StandardCharsets.UTF_8).strip());
      } finally {
        running.set(null);
        if (process.isAlive()) {
          process.destroy();
        }
      }
    } catch (IOException e) {
      throw new TemporaryException("cannot start " + launcher + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void stop() {
    Process process = running.get();
    if (process != null) {
      process.destroy();
    }
  }

  private static byte[] readAll(InputStream in) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] buffer = new byte[8192];
    try (in) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (bytes.size() < MOST_OUTPUT) {
          bytes.write(buffer, 0, n);
        }
      }
    } catch (IOException e) {
      // The process died while it wrote: what was read is all there is, its exit code tells.
    }
    return bytes.toByteArray();
  }
}
