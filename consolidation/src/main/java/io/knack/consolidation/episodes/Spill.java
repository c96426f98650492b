package io.knack.consolidation.episodes;

import io.knack.contracts.Cluster;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Solutions and centroids on disk, dealt out by cluster, so that what is in memory at a time is one
 * part of the clusters and not the curriculum. Scratch: its directory is emptied before and after.
 * One thread may add solutions while another adds centroids.
 */
final class Spill implements AutoCloseable {
  /** Few enough to write them side by side, so many that a part of a million solutions is small. */
  static final int PARTS = 64;

  private static final int BUFFER = 1 << 16;

  /** Bytes of an entry of a vector. */
  private static final int ENTRY = Integer.BYTES + Float.BYTES;

  private final Path directory;
  private final @Nullable DataOutputStream[] solutions = new @Nullable DataOutputStream[PARTS];
  private final @Nullable DataOutputStream[] centroids = new @Nullable DataOutputStream[PARTS];
  private long count;

  Spill(Path directory) {
    this.directory = directory;
    clear();
  }

  /** Solutions so far. */
  long count() {
    return count;
  }

  void add(Solution solution) {
    try {
      DataOutputStream out = open(solutions, "solutions", solution.cluster());
      put(out, solution.cluster().value());
      put(out, solution.tenant() == null ? null : solution.tenant().value());
      put(out, solution.source().value());
      put(out, solution.subject() == null ? null : solution.subject().value());
      put(out, solution.problem());
      put(out, solution.completion());
      count++;
    } catch (IOException e) {
      throw failed(e);
    }
  }

  void add(Cluster cluster) {
    try {
      DataOutputStream out = open(centroids, "centroids", cluster.clusterId());
      put(out, cluster.clusterId().value());
      SparseVector centroid = cluster.centroid();
      int entries = centroid.indices().size();
      ByteBuffer bytes = ByteBuffer.allocate(ENTRY * entries);
      for (int i = 0; i < entries; i++) {
        bytes.putInt(centroid.indices().get(i)).putFloat(centroid.values().get(i));
      }
      out.writeInt(entries);
      out.write(bytes.array());
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Ends writing; parts can be read from now on, by several threads. */
  void seal() {
    try {
      for (int part = 0; part < PARTS; part++) {
        DataOutputStream ofSolutions = solutions[part];
        if (ofSolutions != null) {
          ofSolutions.close();
        }
        DataOutputStream ofCentroids = centroids[part];
        if (ofCentroids != null) {
          ofCentroids.close();
        }
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** The solutions of a part, in the order in which they came. */
  void solutions(int part, Consumer<Solution> each) {
    read(
        file("solutions", part),
        in -> {
          ClusterId cluster = new ClusterId(text(in));
          String tenant = textOrNull(in);
          ExampleId source = new ExampleId(text(in));
          String subject = textOrNull(in);
          each.accept(
              new Solution(
                  cluster,
                  tenant == null ? null : new TenantId(tenant),
                  source,
                  subject == null ? null : new SubjectId(subject),
                  text(in),
                  text(in)));
        });
  }

  /** The centroids of a part. */
  Map<ClusterId, SparseVector> centroids(int part) {
    Map<ClusterId, SparseVector> found = new HashMap<>();
    read(
        file("centroids", part),
        in -> {
          ClusterId cluster = new ClusterId(text(in));
          int[] indices = new int[in.readInt()];
          float[] values = new float[indices.length];
          ByteBuffer bytes = ByteBuffer.wrap(in.readNBytes(ENTRY * indices.length));
          for (int i = 0; i < indices.length; i++) {
            indices[i] = bytes.getInt();
            values[i] = bytes.getFloat();
          }
          found.put(cluster, SparseVector.of(indices, values));
        });
    return found;
  }

  @Override
  public void close() {
    seal();
    clear();
  }

  private interface Row {
    void read(DataInputStream in) throws IOException;
  }

  private void read(Path file, Row row) {
    if (!Files.exists(file)) {
      return;
    }
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), BUFFER))) {
      while (in.available() > 0) {
        row.read(in);
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private Path file(String what, int part) {
    return directory.resolve(what + "-" + part);
  }

  private DataOutputStream open(@Nullable DataOutputStream[] outs, String what, ClusterId cluster)
      throws IOException {
    int part = Math.floorMod(cluster.value().hashCode(), PARTS);
    DataOutputStream out = outs[part];
    if (out == null) {
      out =
          new DataOutputStream(
              new BufferedOutputStream(Files.newOutputStream(file(what, part)), BUFFER));
      outs[part] = out;
    }
    return out;
  }

  private static void put(DataOutputStream out, @Nullable String text) throws IOException {
    if (text == null) {
      out.writeInt(-1);
    } else {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      out.writeInt(bytes.length);
      out.write(bytes);
    }
  }

  private static @Nullable String textOrNull(DataInputStream in) throws IOException {
    int length = in.readInt();
    return length < 0 ? null : new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }

  private static String text(DataInputStream in) throws IOException {
    return Objects.requireNonNull(textOrNull(in));
  }

  private void clear() {
    try {
      Files.createDirectories(directory);
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private UncheckedIOException failed(IOException e) {
    return new UncheckedIOException("cannot use the scratch directory " + directory, e);
  }
}
