package io.knack.llm.cli;

import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Runs a peer on the same work, in the Python environment {@code peer}. */
public final class BenchPeer {
  /** What the launcher sets for the JVM's sake; a peer runs as it comes. */
  static final List<String> OURS =
      List.of("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE", "GLIBC_TUNABLES");

  private final String python;

  private BenchPeer(String python) {
    this.python = python;
  }

  /** The interpreter that KNACK_PEER_PYTHON names, else the one that scripts/python-env makes. */
  public static BenchPeer find() throws IOException {
    String given = System.getenv("KNACK_PEER_PYTHON");
    if (given != null && !given.isEmpty()) {
      return new BenchPeer(given);
    }
    String launcher = System.getenv("KNACK_LAUNCHER");
    Path script = launcher == null ? null : Path.of(launcher).resolveSibling("scripts/python-env");
    if (script == null || !Files.isExecutable(script)) {
      throw new TemporaryException(
          "bench: --peer needs an interpreter with torch, transformers and peft; name one in"
              + " KNACK_PEER_PYTHON");
    }
    return new BenchPeer(run(List.of(script.toString(), "peer"), null));
  }

  /** The interpreter itself. */
  String python() {
    return python;
  }

  /**
   * Runs a script.
   *
   * @param resource of {@code owner}
   * @return the last line that it prints
   */
  public String lastLine(Class<?> owner, String resource, String... arguments) throws IOException {
    Path script = Files.createTempFile("knack-peer", ".py");
    try (InputStream in = owner.getResourceAsStream(resource)) {
      Files.write(script, Objects.requireNonNull(in).readAllBytes());
      List<String> command = new ArrayList<>(List.of(python, script.toString()));
      command.addAll(List.of(arguments));
      return run(command, "1");
    } finally {
      Files.delete(script);
    }
  }

  /** The last line that a command prints. */
  private static String run(List<String> command, @Nullable String offline) throws IOException {
    Path errors = Files.createTempFile("knack-peer", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      builder.environment().keySet().removeAll(OURS);
      if (offline != null) {
        builder.environment().put("HF_HUB_OFFLINE", offline);
      }
      Process process = builder.start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0 || output.isEmpty()) {
        String said = Files.readString(errors).strip();
        throw new TemporaryException(
            "bench: the peer "
                + command.get(0)
                + " failed: "
                + said.substring(said.lastIndexOf('\n') + 1));
      }
      return output.substring(output.lastIndexOf('\n') + 1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TemporaryException("bench: interrupted while the peer ran", e);
    } finally {
      Files.delete(errors);
    }
  }
}
