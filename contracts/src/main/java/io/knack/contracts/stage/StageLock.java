package io.knack.contracts.stage;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * {@code HOME/locks/STAGE.lock}: one process at a time does a stage's work in a workspace. The
 * system gives a dead process's lock back.
 */
public final class StageLock implements AutoCloseable {
  private final FileChannel channel;

  private StageLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock without waiting.
   *
   * @throws TemporaryException when somebody holds it
   * @throws PlanException when the workspace may not be written
   */
  public static StageLock take(Path home, String stage) {
    Path locks = home.resolve("locks");
    try {
      Files.createDirectories(locks);
    } catch (IOException e) {
      throw new PlanException(
          "--home "
              + home
              + " cannot be used: "
              + e.getMessage()
              + "; name a directory you may write");
    }
    try {
      FileChannel channel =
          FileChannel.open(
              locks.resolve(stage + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        if (channel.tryLock() == null) {
          channel.close();
          throw busy(home, stage);
        }
      } catch (OverlappingFileLockException e) {
        channel.close();
        throw busy(home, stage);
      }
      return new StageLock(channel);
    } catch (AccessDeniedException e) {
      throw new PlanException(
          "--home "
              + home
              + " cannot be used: no permission to write "
              + locks.resolve(stage + ".lock")
              + "; run as its owner, or name a directory you may write");
    } catch (IOException e) {
      throw TemporaryException.of(stage + " cannot take its lock", e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new TemporaryException("cannot give back a lock: " + e.getMessage(), e);
    }
  }

  private static TemporaryException busy(Path home, String stage) {
    return new TemporaryException(
        "another " + stage + " is at work in " + home + "; wait for it, or name another --home");
  }
}
