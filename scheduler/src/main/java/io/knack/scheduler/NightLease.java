package io.knack.scheduler;

import io.knack.contracts.stage.LeaseHolder;
import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One night at a time over all processes and machines that share a workspace: a file with an owner
 * and an expiry, renewed while the night runs. Whoever died is succeeded when its lease expires; on
 * the same machine at once, since a dead process can be told.
 */
final class NightLease implements AutoCloseable {
  private final Path home;
  private final Clock clock;
  private final Runnable lost;
  private final String owner = UUID.randomUUID().toString();
  private final ScheduledExecutorService renewal =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "night-lease");
            thread.setDaemon(true);
            return thread;
          });

  private NightLease(Path home, Clock clock, Runnable lost) {
    this.home = home;
    this.clock = clock;
    this.lost = lost;
  }

  /**
   * Takes the lease.
   *
   * @param lost called when another night has taken the lease in spite of this one
   * @throws TemporaryException when another night holds it
   */
  static NightLease take(Path home, Clock clock, Runnable lost) {
    NightLease lease = new NightLease(home, clock, lost);
    try {
      Files.createDirectories(home.resolve("locks"));
      lease.guarded(
          () -> {
            Optional<LeaseHolder> holder = LeaseHolder.read(home);
            if (holder.isPresent() && holder.get().alive(clock.instant())) {
              throw new TemporaryException(
                  "another night is at work in " + home + " (" + holder.get() + ")");
            }
            lease.write();
          });
    } catch (IOException e) {
      throw new TemporaryException(
          "cannot take the lease " + LeaseHolder.file(home) + ": " + e.getMessage(), e);
    }
    long third = LeaseHolder.TERM.toMillis() / 3;
    ScheduledFuture<?> renewals =
        lease.renewal.scheduleAtFixedRate(lease::renew, third, third, TimeUnit.MILLISECONDS);
    if (renewals.isCancelled()) {
      throw new IllegalStateException("the lease is not renewed");
    }
    return lease;
  }

  /** Where it lies. */
  Path file() {
    return LeaseHolder.file(home);
  }

  @Override
  public void close() {
    renewal.shutdownNow();
    try {
      guarded(
          () -> {
            if (mine()) {
              Files.deleteIfExists(file());
            }
          });
    } catch (IOException e) {
      throw new TemporaryException("cannot give back the lease " + file(), e);
    }
  }

  /** Puts the expiry off; tells who has lost the lease. */
  void renew() {
    try {
      guarded(
          () -> {
            if (mine()) {
              write();
            } else {
              System.err.println("knack: the night's lease was lost; the night stops");
              lost.run();
            }
          });
    } catch (IOException | RuntimeException e) {
      // The next renewal tries again; two in a row may fail before the lease expires.
      System.err.println("knack: the night's lease could not be renewed: " + e.getMessage());
    }
  }

  private boolean mine() throws IOException {
    return LeaseHolder.read(home).filter(holder -> holder.owner().equals(owner)).isPresent();
  }

  private void write() throws IOException {
    LeaseHolder.self(owner, clock.instant()).write(home);
  }

  /** Reading and writing the lease as one step. */
  private void guarded(Step step) throws IOException {
    synchronized (NightLease.class) {
      try (FileChannel channel =
          FileChannel.open(
              home.resolve("locks").resolve("night.lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE)) {
        if (!channel.lock().isValid()) {
          throw new IOException("the lock beside " + file() + " was lost");
        }
        step.run();
      } catch (OverlappingFileLockException e) {
        throw new IOException(e);
      }
    }
  }

  private interface Step {
    void run() throws IOException;
  }
}
