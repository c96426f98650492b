package io.knack.practice.features;

import io.knack.contracts.store.Digests;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Vectors of one encoder by the digest of their text, in files that only ever appear whole: each
 * holds its keys in order, then the vectors, and is looked up where it lies. Files that appear
 * after a cache was opened are not seen. What is in it can always be computed again: to delete the
 * directory loses nothing else.
 */
public final class VectorCache {
  private static final int MAGIC = 0x4b4e5631; // KNV1
  private static final int HEAD = 3 * Integer.BYTES; // magic, width, rows
  private static final String SUFFIX = ".vectors";

  private final Path directory;
  private final List<ByteBuffer> files = new ArrayList<>();

  private VectorCache(Path directory) {
    this.directory = directory;
  }

  /** What lies in a directory, which is made. */
  public static VectorCache open(Path directory) {
    VectorCache cache = new VectorCache(directory);
    try {
      Files.createDirectories(directory);
      try (Stream<Path> found = Files.list(directory)) {
        for (Path file : found.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList()) {
          cache.map(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return cache;
  }

  public Path directory() {
    return directory;
  }

  private void map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      if (bytes.capacity() >= HEAD && bytes.getInt(0) == MAGIC) {
        files.add(bytes);
      }
    }
  }

  /** The vector of a text, or null. */
  public float @Nullable [] find(String text) {
    long key = key(text);
    for (ByteBuffer file : files) {
      int width = file.getInt(Integer.BYTES);
      int rows = file.getInt(2 * Integer.BYTES);
      int low = 0;
      int high = rows - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        long found = file.getLong(HEAD + middle * Long.BYTES);
        if (found == key) {
          float[] vector = new float[width];
          int at = HEAD + rows * Long.BYTES + middle * width * Float.BYTES;
          for (int r = 0; r < width; r++) {
            vector[r] = file.getFloat(at + r * Float.BYTES);
          }
          return vector;
        }
        if (found < key) {
          low = middle + 1;
        } else {
          high = middle - 1;
        }
      }
    }
    return null;
  }

  /** Adds a file of vectors, all of one width. */
  public void add(List<String> texts, List<float[]> vectors) {
    Map<Long, float[]> sorted = new TreeMap<>();
    for (int i = 0; i < texts.size(); i++) {
      sorted.put(key(texts.get(i)), vectors.get(i));
    }
    if (sorted.isEmpty()) {
      return;
    }
    String name = UUID.randomUUID().toString();
    Path staged = directory.resolve(name + ".tmp");
    try {
      try (DataOutputStream out =
          new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(staged)))) {
        out.writeInt(MAGIC);
        out.writeInt(vectors.get(0).length);
        out.writeInt(sorted.size());
        for (long key : sorted.keySet()) {
          out.writeLong(key);
        }
        for (float[] vector : sorted.values()) {
          for (float value : vector) {
            out.writeFloat(value);
          }
        }
      }
      Files.move(staged, directory.resolve(name + SUFFIX), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first 64 bits of the digest: among a billion texts two share them in 3 cases of 100. */
  private static long key(String text) {
    return Long.parseUnsignedLong(Digests.sha256(text).substring(0, 16), 16);
  }
}
