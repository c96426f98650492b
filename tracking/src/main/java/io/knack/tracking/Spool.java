package io.knack.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one process records: {@code NAME.jsonl}, one {@link Event} a line, and copies of artifacts
 * in {@code NAME.files}. The file appears with the first event and is locked while its process
 * lives, so that nobody else sends it meanwhile.
 *
 * <p>A spool is for watching, not for keeping: an event that cannot be written (a full disk) is
 * counted and reported once, and the run goes on.
 */
final class Spool implements AutoCloseable {
  static final ObjectMapper JSON = JsonMapper.builder().build();
  private static final Logger LOG = LoggerFactory.getLogger(Spool.class);

  /** Larger artifacts are linked rather than copied where the file system can. */
  private static final long LINK_ABOVE = 1 << 20;

  private final Path directory;
  private final String name;
  private final AtomicLong written = new AtomicLong();
  private @Nullable FileChannel channel;
  private @Nullable SpoolLock lock;
  private int artifacts;
  private long lost;

  Spool(Path directory, Clock clock) {
    this.directory = directory;
    this.name =
        DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'")
                .withZone(ZoneOffset.UTC)
                .format(clock.instant())
            + "-"
            + UUID.randomUUID();
  }

  Path file() {
    return directory.resolve(name + ".jsonl");
  }

  /** Bytes written so far. */
  long size() {
    return written.get();
  }

  synchronized void append(Event event) {
    try {
      ByteBuffer line =
          ByteBuffer.wrap((JSON.writeValueAsString(event) + "\n").getBytes(StandardCharsets.UTF_8));
      FileChannel open = open();
      int length = line.remaining();
      while (line.hasRemaining()) {
        open.write(line);
      }
      written.addAndGet(length);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("an event has no JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      lost(e);
    }
  }

  /** Keeps a file as it is now; null when it could not be kept. */
  synchronized @Nullable String keep(Path file) {
    try {
      String kept = name + ".files/" + artifacts + "-" + file.getFileName();
      Path target = directory.resolve(kept);
      Files.createDirectories(directory.resolve(name + ".files"));
      if (Files.size(file) <= LINK_ABOVE || !linked(target, file)) {
        Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
      }
      artifacts++;
      return kept;
    } catch (IOException e) {
      lost(e);
      return null;
    }
  }

  private static boolean linked(Path target, Path file) {
    try {
      Files.createLink(target, file.toRealPath());
      return true;
    } catch (IOException | UnsupportedOperationException e) {
      return false; // Another file system, or one without links: the caller copies.
    }
  }

  private FileChannel open() throws IOException {
    FileChannel open = channel;
    if (open == null) {
      Files.createDirectories(directory);
      if (lock == null) {
        lock =
            SpoolLock.take(file())
                .orElseThrow(() -> new IOException(file() + " is another process's"));
      }
      open = FileChannel.open(file(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      channel = open;
    }
    return open;
  }

  private void lost(Exception cause) {
    if (lost++ == 0) {
      LOG.warn("tracking cannot write below {}: {}; the run goes on", directory, cause.toString());
    }
  }

  /** Releases the lock; the file stays. */
  @Override
  public synchronized void close() {
    close(channel);
    close(lock);
    channel = null;
    lock = null;
    if (lost > 0) {
      LOG.warn("tracking lost {} records below {}", lost, directory);
    }
  }

  private void close(@Nullable AutoCloseable open) {
    if (open != null) {
      try {
        open.close();
      } catch (Exception e) {
        lost(e);
      }
    }
  }

  /** What lies beside a spool under its name. */
  static Path beside(Path spool, String ending) {
    String name = String.valueOf(spool.getFileName());
    return spool.resolveSibling(name.substring(0, name.length() - ".jsonl".length()) + ending);
  }
}
