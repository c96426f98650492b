package io.knack.contracts.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kill -9 of a real process before each file operation of a commit in turn. */
final class KilledCommitTest {
  private static final int KILLED = 128 + 9;

  @TempDir Path home;

  /** Commits "new" to a workspace, and dies before the given step. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) {
      int fatal = Integer.parseInt(arguments[1]);
      AtomicInteger step = new AtomicInteger();
      ArtifactStore store =
          ArtifactStore.open(
              Path.of(arguments[0]),
              () -> {
                if (step.incrementAndGet() == fatal) {
                  die();
                }
              });
      ArtifactStoreTest.commit(store, "new", List.of());
    }

    private static void die() {
      try {
        String self = String.valueOf(ProcessHandle.current().pid());
        Process kill = new ProcessBuilder("kill", "-9", self).start();
        throw new IllegalStateException("still alive after kill " + kill.waitFor());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void aKilledProcessLeavesTheOldStateOrTheNew() throws Exception {
    Artifact old = ArtifactStoreTest.commit(ArtifactStore.open(home), "old", List.of());
    int kills = 0;
    int committed = 1;
    for (int step = 1; ; step++) {
      Process victim =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx128m",
                  "-XX:TieredStopAtLevel=1",
                  "-XX:+UseSerialGC",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Victim.class.getName(),
                  home.toString(),
                  String.valueOf(step))
              .redirectErrorStream(true)
              .redirectOutput(home.resolve("victim.txt").toFile())
              .start();
      assertThat(victim.waitFor(120, TimeUnit.SECONDS)).isTrue();
      int exit = victim.exitValue();
      assertThat(exit).as(Files.readString(home.resolve("victim.txt"))).isIn(0, KILLED);
      ArtifactStore store = ArtifactStore.open(home);
      List<Artifact> seen = store.chain(ArtifactKind.CLUSTERS);
      for (Artifact artifact : seen) {
        store.resolve(artifact.ref());
      }
      assertThat(seen.get(0)).isEqualTo(old);
      assertThat(seen.size()).as("after step " + step).isBetween(committed, committed + 1);
      committed = seen.size();
      if (exit == 0) {
        break;
      }
      kills++;
    }
    assertThat(kills).as("operations before which it was killed").isGreaterThanOrEqualTo(8);
    assertThat(ArtifactStore.open(home).latest(ArtifactKind.CLUSTERS).orElseThrow().card().files())
        .hasSize(1);
    // What the dead left staged is gone with the next stage.
    Path mine = ArtifactStore.open(home).stage(ArtifactKind.CLUSTERS, old.card().run());
    try (var left = Files.list(home.resolve("artifacts/clusters"))) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .filteredOn(name -> name.startsWith(".staged-"))
          .containsExactly(mine.getFileName().toString());
    }
  }
}
