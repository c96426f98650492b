package io.knack.llm.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.TemporaryException;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** transformers on the same work, in a Python process of its own: {@code bench_peer.py}. */
final class TransformersPeer implements AutoCloseable {
  private final String python;
  private final Path directory;
  private final Path errors;
  private final Process process;
  private final BufferedWriter to;
  private final BufferedReader from;

  private TransformersPeer(String python, Path directory, Path errors, Process process) {
    this.python = python;
    this.directory = directory;
    this.errors = errors;
    this.process = process;
    this.to = process.outputWriter(StandardCharsets.UTF_8);
    this.from = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Loads the checkpoint in a new process; threads 0 leaves torch's own choice. */
  static TransformersPeer start(String python, Path model, String dtype, int threads)
      throws IOException {
    Path directory = Files.createTempDirectory("knack-peer");
    Path script = directory.resolve("bench_peer.py");
    Path errors = directory.resolve("errors");
    try (InputStream in =
        TransformersPeer.class.getResourceAsStream("/io/knack/llm/bench_peer.py")) {
      Files.write(script, Objects.requireNonNull(in).readAllBytes());
    }
    ProcessBuilder builder =
        new ProcessBuilder(python, script.toString(), model.toString(), dtype, "" + threads)
            .redirectError(errors.toFile());
    builder.environment().keySet().removeAll(BenchPeer.OURS);
    builder.environment().put("HF_HUB_OFFLINE", "1");
    return new TransformersPeer(python, directory, errors, builder.start());
  }

  /** Tokens per second of one round of generation, prompts and all. */
  double tokensPerSecond(List<List<Integer>> prompts, int newTokens) throws IOException {
    ObjectNode work = new ObjectMapper().createObjectNode().put("new_tokens", newTokens);
    ArrayNode all = work.putArray("prompts");
    prompts.forEach(prompt -> prompt.forEach(all.addArray()::add));
    String answer;
    try {
      to.write(work + "\n");
      to.flush();
      answer = from.readLine();
    } catch (IOException closed) {
      throw failed(closed);
    }
    if (answer == null) {
      throw failed(null);
    }
    return Double.parseDouble(answer);
  }

  private TemporaryException failed(@org.jspecify.annotations.Nullable IOException cause)
      throws IOException {
    await(process);
    String said = Files.readString(errors).strip();
    String last = said.substring(said.lastIndexOf('\n') + 1);
    return new TemporaryException("bench: the peer " + python + " failed: " + last, cause);
  }

  private static int await(Process process) {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TemporaryException("bench: interrupted while the peer ran", e);
    }
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    Files.deleteIfExists(errors);
    Files.deleteIfExists(directory.resolve("bench_peer.py"));
    Files.deleteIfExists(directory);
  }
}
