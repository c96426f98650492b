package io.knack.practice.features;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Digests;
import io.knack.llm.encoder.TextEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A sentence encoder, loaded once in a process, when a text is first encoded. Safe for use by many
 * threads, which take turns.
 */
public final class SentenceEncoder {
  private static final Map<Path, SentenceEncoder> OPEN = new ConcurrentHashMap<>();

  private final Path directory;
  private final String digest;
  private @Nullable TextEncoder encoder;

  private SentenceEncoder(Path directory) {
    this.directory = directory;
    this.digest = digest(directory);
  }

  /**
   * @throws ContractException when there is no checkpoint
   */
  public static SentenceEncoder open(Path directory) {
    return OPEN.computeIfAbsent(directory.toAbsolutePath().normalize(), SentenceEncoder::new);
  }

  public Path directory() {
    return directory;
  }

  /** Of all files of the checkpoint, by name: equal digests mean equal vectors. */
  public String digest() {
    return digest;
  }

  /** Vectors of length one, in the order of the texts. */
  public synchronized List<float[]> embed(List<String> texts) {
    TextEncoder loaded = encoder;
    if (loaded == null) {
      loaded = TextEncoder.load(directory, "cpu");
      encoder = loaded;
    }
    List<float[]> vectors = loaded.embed(texts);
    vectors.forEach(EncodedSpace::normalise);
    return vectors;
  }

  private static String digest(Path directory) {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        lines.add(directory.relativize(file) + " " + Digests.sha256(file));
      }
    } catch (IOException e) {
      throw new ContractException(
          "there is no readable encoder at "
              + directory
              + " ("
              + e.getMessage()
              + "); expected the directory of a checkpoint with config.json, tokenizer.json and"
              + " model.safetensors",
          e);
    }
    return Digests.sha256(String.join("\n", lines));
  }
}
