package io.knack.practice.features;

import io.knack.contracts.store.Digests;
import io.knack.contracts.store.DurableFiles;
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
import java.util.Objects;
import java.util.SortedMap;
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

  /** Rows of a file that is left as it is. */
  private static final int FULL = 1 << 16;

  /** Smaller files than these many are left as they are. */
  private static final int FEW = 16;

  private final Path directory;
  private final List<Part> parts = new ArrayList<>();

  /** One file. */
  private record Part(Path file, ByteBuffer bytes) {
    int width() {
      return bytes.getInt(Integer.BYTES);
    }

    int rows() {
      return bytes.getInt(2 * Integer.BYTES);
    }

    long key(int row) {
      return bytes.getLong(HEAD + row * Long.BYTES);
    }

    float[] vector(int row) {
      float[] vector = new float[width()];
      int at = HEAD + rows() * Long.BYTES + row * width() * Float.BYTES;
      for (int r = 0; r < vector.length; r++) {
        vector[r] = bytes.getFloat(at + r * Float.BYTES);
      }
      return vector;
    }

    /** False of a file that a crash left short or empty. */
    boolean whole() {
      long size = bytes.capacity();
      return size >= HEAD
          && bytes.getInt(0) == MAGIC
          && size == HEAD + (long) rows() * (Long.BYTES + (long) width() * Float.BYTES);
    }
  }

  private VectorCache(Path directory) {
    this.directory = directory;
  }

  /** What lies in a directory; nothing when there is none. */
  public static VectorCache open(Path directory) {
    VectorCache cache = new VectorCache(directory);
    if (Files.isDirectory(directory)) {
      try (Stream<Path> found = Files.list(directory)) {
        for (Path file : found.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList()) {
          cache.map(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the vectors in " + directory, e);
      }
    }
    return cache;
  }

  public Path directory() {
    return directory;
  }

  /** Vectors in all files. */
  public long size() {
    return parts.stream().mapToLong(Part::rows).sum();
  }

  private void map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      Part part = new Part(file, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
      if (part.whole()) {
        parts.add(part);
      }
    }
  }

  /** The vector of a text, or null. */
  public float @Nullable [] find(String text) {
    long key = key(text);
    for (Part part : parts) {
      int low = 0;
      int high = part.rows() - 1;
      while (low <= high) {
        int middle = (low + high) >>> 1;
        long found = part.key(middle);
        if (found == key) {
          return part.vector(middle);
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
    TreeMap<Long, float[]> sorted = new TreeMap<>();
    for (int i = 0; i < texts.size(); i++) {
      sorted.put(key(texts.get(i)), vectors.get(i));
    }
    write(sorted);
  }

  private void write(SortedMap<Long, float[]> sorted) {
    if (sorted.isEmpty()) {
      return;
    }
    String name = UUID.randomUUID().toString();
    Path staged = directory.resolve(name + ".tmp");
    try {
      Files.createDirectories(directory);
      try (DataOutputStream out =
          new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(staged)))) {
        out.writeInt(MAGIC);
        out.writeInt(Objects.requireNonNull(sorted.get(sorted.firstKey())).length);
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
      DurableFiles.sync(staged);
      Files.move(staged, directory.resolve(name + SUFFIX), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write vectors to " + directory, e);
    }
  }

  /**
   * Puts small files together where there are many, so that a look-up costs a few binary searches
   * however many nights there were.
   *
   * @return what lies there now
   */
  public VectorCache compacted() {
    List<Part> small = parts.stream().filter(part -> part.rows() < FULL).toList();
    if (small.size() <= FEW) {
      return this;
    }
    TreeMap<Long, float[]> together = new TreeMap<>();
    for (Part part : small) {
      for (int row = 0; row < part.rows(); row++) {
        together.put(part.key(row), part.vector(row));
      }
      if (together.size() >= FULL) {
        write(together);
        together.clear();
      }
    }
    write(together);
    try {
      for (Part part : small) {
        Files.deleteIfExists(part.file());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete old vectors in " + directory, e);
    }
    return open(directory);
  }

  /** The first 64 bits of the digest: among a billion texts two share them in 3 cases of 100. */
  private static long key(String text) {
    return Long.parseUnsignedLong(Digests.sha256(text).substring(0, 16), 16);
  }
}
