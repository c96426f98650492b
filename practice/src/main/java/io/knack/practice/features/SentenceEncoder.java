package io.knack.practice.features;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.encoder.TextEncoder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A sentence encoder, loaded once in a process, when a text is first encoded. Safe for use by many
 * threads, which take turns: each batch has all cores.
 */
public final class SentenceEncoder {
  private static final Map<Path, SentenceEncoder> OPEN = new ConcurrentHashMap<>();

  private final Path directory;
  private final String digest;
  private @Nullable TextEncoder encoder;

  private SentenceEncoder(Path directory) {
    this.directory = directory;
    this.digest = TextEncoder.digest(directory);
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

  /** What people call it: its directory's name. */
  public String name() {
    return String.valueOf(directory.getFileName());
  }

  /** What it is, see {@link TextEncoder#digest}: equal digests mean equal vectors. */
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
}
