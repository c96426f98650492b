package io.knack.scheduler;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
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
  static final Duration TERM = Duration.ofMinutes(2);

  private final Path file;
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

  /**
   * What the file says.
   *
   * @param host of the process, so that a process number is not taken for another machine's
   * @param started clock ticks from boot to the process's start: a number that is used again is
   *     another process; -1 where the system does not tell
   */
  record Holder(String owner, String host, long process, long started, Instant expires) {}

  private NightLease(Path home, Clock clock, Runnable lost) {
    this.lost = lost;
    this.file = home.resolve("locks").resolve("night.lease");
    this.clock = clock;
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
      Files.createDirectories(lease.file.getParent());
      lease.guarded(
          () -> {
            Optional<Holder> holder = lease.holder();
            if (holder.isPresent() && lease.alive(holder.get())) {
              throw new TemporaryException(
                  "another night is at work in "
                      + home
                      + " (process "
                      + holder.get().process()
                      + " on "
                      + holder.get().host()
                      + ", lease until "
                      + holder.get().expires()
                      + ")");
            }
            lease.write();
          });
    } catch (IOException e) {
      throw new TemporaryException(
          "cannot take the lease " + lease.file + ": " + e.getMessage(), e);
    }
    long third = TERM.toMillis() / 3;
    ScheduledFuture<?> renewals =
        lease.renewal.scheduleAtFixedRate(lease::renew, third, third, TimeUnit.MILLISECONDS);
    if (renewals.isCancelled()) {
      throw new IllegalStateException("the lease is not renewed");
    }
    return lease;
  }

  /** Where it lies. */
  Path file() {
    return file;
  }

  @Override
  public void close() {
    renewal.shutdownNow();
    try {
      guarded(
          () -> {
            if (holder().filter(holder -> holder.owner().equals(owner)).isPresent()) {
              Files.deleteIfExists(file);
            }
          });
    } catch (IOException e) {
      throw new TemporaryException("cannot give back the lease " + file, e);
    }
  }

  /** Puts the expiry off; tells who has lost the lease. */
  void renew() {
    try {
      guarded(
          () -> {
            if (holder().filter(holder -> holder.owner().equals(owner)).isPresent()) {
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

  private boolean alive(Holder holder) {
    if (holder.host().equals(host())) {
      // Here the process itself tells, whatever the clock says.
      return ProcessHandle.of(holder.process()).filter(ProcessHandle::isAlive).isPresent()
          && holder.started() == started(holder.process());
    }
    // A clock that jumped back must not make a lease eternal: it never runs longer than its term.
    return clock.instant().isBefore(holder.expires())
        && holder.expires().isBefore(clock.instant().plus(TERM).plusSeconds(1));
  }

  private Optional<Holder> holder() throws IOException {
    try {
      return Optional.of(Jsons.mapper().readValue(Files.readString(file), Holder.class));
    } catch (NoSuchFileException | JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private void write() throws IOException {
    long pid = ProcessHandle.current().pid();
    Holder holder = new Holder(owner, host(), pid, started(pid), clock.instant().plus(TERM));
    DurableFiles.replace(file, Jsons.mapper().writeValueAsString(holder) + "\n");
  }

  /** Reading and writing the lease as one step. */
  private void guarded(Step step) throws IOException {
    synchronized (NightLease.class) {
      try (FileChannel channel =
          FileChannel.open(
              file.resolveSibling("night.lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE)) {
        if (!channel.lock().isValid()) {
          throw new IOException("the lock beside " + file + " was lost");
        }
        step.run();
      } catch (OverlappingFileLockException e) {
        throw new IOException(e);
      }
    }
  }

  private static long started(long process) {
    try {
      String stat = Files.readString(Path.of("/proc/" + process + "/stat"));
      // Behind the name, which may hold anything in its parentheses: field 22 of proc(5).
      return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19]);
    } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
      return -1;
    }
  }

  private static String host() {
    String host = System.getenv("HOSTNAME");
    if (host != null && !host.isBlank()) {
      return host;
    }
    try {
      return Files.readString(Path.of("/etc/hostname")).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }

  private interface Step {
    void run() throws IOException;
  }
}
