package io.knack.contracts.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * File operations that are on the disk when they return: after a crash there is the old file or the
 * new one, never a part of one.
 */
public final class DurableFiles {
  private DurableFiles() {}

  /** Flushes a file's content to the disk. */
  public static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /** Flushes a directory's entries to the disk. */
  public static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Creates or replaces a small file atomically. */
  public static void replace(Path file, String content) throws IOException {
    replace(file, content, () -> {});
  }

  /**
   * As {@link #replace(Path, String)}.
   *
   * @param beforeEachStep runs before each file operation
   */
  static void replace(Path file, String content, Runnable beforeEachStep) throws IOException {
    beforeEachStep.run();
    Path beside = writeBeside(file, content);
    beforeEachStep.run();
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    beforeEachStep.run();
    syncDirectory(parent(file));
  }

  /**
   * Creates a small file whole, or not at all.
   *
   * @throws FileAlreadyExistsException when somebody was first
   */
  public static void createNew(Path file, String content) throws IOException {
    Path beside = writeBeside(file, content);
    try {
      // A hard link is the one atomic create-if-absent that carries the content with it.
      Files.createLink(file, beside);
    } finally {
      Files.deleteIfExists(beside);
    }
    syncDirectory(parent(file));
  }

  /** Appends one line to a journal; a torn last line of an earlier crash is cut off first. */
  public static void appendLine(Path file, String line) throws IOException {
    Files.createDirectories(parent(file));
    boolean fresh = !Files.exists(file);
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      channel.position(endOfLastWholeLine(channel));
      channel.truncate(channel.position());
      ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    if (fresh) {
      syncDirectory(parent(file));
    }
  }

  /** The whole lines of a journal; empty when there is none. */
  public static List<String> wholeLines(Path file) throws IOException {
    if (!Files.exists(file)) {
      return List.of();
    }
    String text = Files.readString(file);
    return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
  }

  /** Deletes a tree; what is already gone is no error. Links are deleted, not followed. */
  public static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(root)) {
      walk.sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.deleteIfExists(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static Path writeBeside(Path file, String content) throws IOException {
    Files.createDirectories(parent(file));
    Path beside = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    Files.writeString(beside, content);
    sync(beside);
    return beside;
  }

  private static long endOfLastWholeLine(FileChannel channel) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    for (long end = channel.size(); end > 0; end--) {
      one.clear();
      channel.read(one, end - 1);
      if (one.get(0) == '\n') {
        return end;
      }
    }
    return 0;
  }

  private static Path parent(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " has no directory");
    }
    return parent;
  }
}
