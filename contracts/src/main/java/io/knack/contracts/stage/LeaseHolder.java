package io.knack.contracts.stage;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/**
 * Who holds the night's lease of a workspace: what {@code HOME/locks/night.lease} says. A night
 * holds no stage's lock between two stages, but this.
 *
 * @param owner of this very lease
 * @param host of the process, so that a process number is not taken for another machine's
 * @param started clock ticks from boot to the process's start: a number that is used again is
 *     another process; -1 where the system does not tell
 * @param expires at most {@link #TERM} after it was last renewed
 */
public record LeaseHolder(String owner, String host, long process, long started, Instant expires) {
  public static final Duration TERM = Duration.ofMinutes(2);

  public LeaseHolder {
    Objects.requireNonNull(owner, "owner");
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(expires, "expires");
  }

  public static Path file(Path home) {
    return home.resolve("locks").resolve("night.lease");
  }

  /** A damaged lease is nobody's. */
  public static Optional<LeaseHolder> read(Path home) throws IOException {
    try {
      return Optional.of(Jsons.mapper().readValue(Files.readString(file(home)), LeaseHolder.class));
    } catch (NoSuchFileException | JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** This process, from now on for a term. */
  public static LeaseHolder self(String owner, Instant now) {
    long process = ProcessHandle.current().pid();
    return new LeaseHolder(owner, thisHost(), process, started(process), now.plus(TERM));
  }

  /** Whether it still holds the lease. On its own machine the process tells, not the clock. */
  public boolean alive(Instant now) {
    if (host.equals(thisHost())) {
      return ProcessHandle.of(process).filter(ProcessHandle::isAlive).isPresent()
          && started == started(process);
    }
    // A clock that jumped back must not make a lease eternal: it never runs longer than its term.
    return now.isBefore(expires) && expires.isBefore(now.plus(TERM).plusSeconds(1));
  }

  /** Makes this the lease's holder. */
  public void write(Path home) throws IOException {
    DurableFiles.replace(file(home), Jsons.mapper().writeValueAsString(this) + "\n");
  }

  @Override
  public String toString() {
    return "process " + process + " on " + host + ", lease until " + expires;
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

  private static String thisHost() {
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
}
