package io.knack.tracking;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to write a spool, or to send what a dead process left of one: {@code NAME.lock},
 * against other processes. Within a process a set keeps trackers apart: to close any channel to a
 * file gives up all of the process's locks on it.
 */
final class SpoolLock implements AutoCloseable {
  private static final Set<Path> HERE = ConcurrentHashMap.newKeySet();

  private final Path spool;
  private final FileChannel channel;

  private SpoolLock(Path spool, FileChannel channel) {
    this.spool = spool;
    this.channel = channel;
  }

  /** Empty when the spool is somebody else's, in this process or another. */
  static Optional<SpoolLock> take(Path spool) throws IOException {
    Path key = spool.toAbsolutePath().normalize();
    if (!HERE.add(key)) {
      return Optional.empty();
    }
    FileChannel channel = null;
    boolean taken = false;
    try {
      channel =
          FileChannel.open(
              Spool.beside(spool, ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      taken = channel.tryLock() != null;
      return taken ? Optional.of(new SpoolLock(key, channel)) : Optional.empty();
    } finally {
      if (!taken) {
        HERE.remove(key);
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      HERE.remove(spool);
    }
  }
}
