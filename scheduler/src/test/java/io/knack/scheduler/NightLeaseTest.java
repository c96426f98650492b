package io.knack.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.LeaseHolder;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NightLeaseTest {
  private static final Instant NOW = Instant.parse("2026-03-01T01:00:00Z");

  @TempDir Path home;

  /** Whatever the clock does, a process that lives here holds what it took. */
  @Test
  void aClockThatJumpsTakesNoLeaseFromALivingNight() {
    for (Duration jump :
        List.of(Duration.ZERO, Duration.ofDays(400), Duration.ofDays(-400), LeaseHolder.TERM)) {
      try (NightLease held = take(NOW)) {
        assertThat(held.file()).exists();
        assertThatThrownBy(() -> take(NOW.plus(jump)))
            .as("after a jump of %s", jump)
            .isInstanceOf(TemporaryException.class)
            .hasMessageContaining("another night is at work");
      }
    }
  }

  @Test
  void aDeadProcessOfThisMachineIsSucceededAtOnce() throws IOException {
    LeaseHolder mine = readAfterTaking();
    write(new LeaseHolder("dead", mine.host(), 4_000_000, 1, NOW.plus(LeaseHolder.TERM)));
    take(NOW).close();
    // The number lives, but it is another process that has it now.
    write(
        new LeaseHolder(
            "dead", mine.host(), mine.process(), mine.started() - 1, NOW.plus(LeaseHolder.TERM)));
    take(NOW).close();
  }

  @Test
  void anotherMachineIsSucceededWhenItsLeaseExpires() throws IOException {
    write(new LeaseHolder("far", "another-machine", 1, 1, NOW.plus(LeaseHolder.TERM)));
    assertThatThrownBy(() -> take(NOW)).hasMessageContaining("on another-machine");
    take(NOW.plus(LeaseHolder.TERM).plusMillis(1)).close();
    // A clock that jumped back does not make a lease eternal: none runs longer than its term.
    write(new LeaseHolder("far", "another-machine", 1, 1, NOW.plus(Duration.ofDays(1))));
    take(NOW).close();
  }

  @Test
  void aTornLeaseIsNobodys() throws IOException {
    DurableFiles.replace(home.resolve("locks/night.lease"), "{\"owner\":");
    take(NOW).close();
    assertThat(home.resolve("locks/night.lease")).doesNotExist();
  }

  @Test
  void whoLostTheLeaseIsTold() throws IOException {
    boolean[] told = new boolean[1];
    try (NightLease lease = NightLease.take(home, fixed(NOW), () -> told[0] = true)) {
      lease.renew();
      assertThat(told[0]).isFalse();
      LeaseHolder usurper =
          new LeaseHolder("other", "another-machine", 1, 1, NOW.plus(LeaseHolder.TERM));
      write(usurper);
      lease.renew();
      assertThat(told[0]).isTrue();
    }
    assertThat(home.resolve("locks/night.lease")).as("not the loser's to give back").exists();
  }

  private LeaseHolder readAfterTaking() throws IOException {
    try (NightLease lease = take(NOW)) {
      assertThat(lease).isNotNull();
      return LeaseHolder.read(home).orElseThrow();
    }
  }

  private NightLease take(Instant now) {
    return NightLease.take(home, fixed(now), () -> {});
  }

  private void write(LeaseHolder holder) throws IOException {
    holder.write(home);
  }

  private static Clock fixed(Instant now) {
    return Clock.fixed(now, ZoneOffset.UTC);
  }
}
