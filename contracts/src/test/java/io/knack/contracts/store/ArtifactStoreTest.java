package io.knack.contracts.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArtifactStoreTest {
  private static final RunId RUN = new RunId("night-1");

  @TempDir Path home;

  @Test
  void commitsInOrderAndResolvesByDigest() {
    ArtifactStore store = ArtifactStore.open(home);
    Artifact first = commit(store, "one", List.of());
    Artifact second = commit(store, "two", List.of());
    assertThat(store.chain(ArtifactKind.CLUSTERS)).containsExactly(first, second);
    assertThat(store.latest(ArtifactKind.CLUSTERS)).contains(second);
    Artifact resolved = ArtifactStore.open(home).resolve(first.ref());
    assertThat(resolved).isEqualTo(first);
    assertThat(resolved.card().files())
        .containsExactly(new ArtifactCard.FileEntry("data/rows.txt", 3, Digests.sha256("one")));
    assertThat(store.chain(ArtifactKind.RULES)).isEmpty();
  }

  @Test
  void aCommitIsSeenWhateverDigitsTheLocaleWrites() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("fa-IR-u-nu-arabext"));
      ArtifactStore store = ArtifactStore.open(home);
      Artifact artifact = commit(store, "one", List.of());
      assertThat(store.chain(ArtifactKind.CLUSTERS)).containsExactly(artifact);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void anArtifactOutlivesItsThousandthErasure() throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    Artifact artifact = commit(store, "one", List.of());
    String name = artifact.directory().getFileName().toString();
    Path revision = artifact.directory().resolveSibling(name.replace("-000-", "-999-"));
    Files.move(artifact.directory(), revision);
    Artifact replaced = commit(store, "two", List.of(artifact.ref()));
    assertThat(replaced.directory().getFileName().toString()).startsWith("000001-1000-");
    Artifact again = commit(store, "three", List.of(replaced.ref(), artifact.ref()));
    assertThat(again.directory().getFileName().toString()).startsWith("000001-1001-");
    assertThat(store.chain(ArtifactKind.CLUSTERS)).containsExactly(again);
  }

  @Test
  void refusesWhatIsNotWhatItsDigestSays() throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    Artifact artifact = commit(store, "one", List.of());
    Files.writeString(artifact.file("data/rows.txt"), "two");
    assertThatThrownBy(() -> store.resolve(artifact.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("rows.txt has sha256 " + Digests.sha256("two"));
    Files.delete(artifact.file("data/rows.txt"));
    assertThatThrownBy(() -> store.resolve(artifact.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("rows.txt is missing");
    Path card = artifact.file(ArtifactStore.CARD);
    Files.writeString(card, Files.readString(card).replace("night-1", "night-2"));
    assertThatThrownBy(() -> store.resolve(artifact.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining(card + " was changed: it has digest ")
        .hasMessageContaining("restore the artifact from a backup, or make it again");
    ArtifactRef unknown = new ArtifactRef(ArtifactKind.CLUSTERS, "0".repeat(64));
    assertThatThrownBy(() -> store.resolve(unknown))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("no artifact clusters@000");
  }

  @Test
  void whatWasAddedToAnArtifactIsRefused() throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    Artifact artifact = commit(store, "one", List.of());
    Files.writeString(artifact.file("data/.rows.txt.crc"), "hidden");
    Files.writeString(artifact.file("data/_SUCCESS"), "");
    assertThat(store.resolve(artifact.ref())).isEqualTo(artifact);
    Path added = artifact.file("data/more.txt");
    Files.writeString(added, "two");
    assertThatThrownBy(() -> store.resolve(artifact.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessage(
            added
                + " is no part of the artifact: artifact.json does not list it; move it out of"
                + " there");
    Files.delete(added);
    Path link = Files.createSymbolicLink(artifact.file("data/day=2"), home);
    assertThatThrownBy(() -> store.resolve(artifact.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining(link + " is no part of the artifact");
    Files.delete(link);
    Files.delete(artifact.file("data/rows.txt"));
    Files.createDirectory(artifact.file("data/rows.txt"));
    assertThatThrownBy(() -> store.resolve(artifact.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("rows.txt is a directory; its card lists a file");
  }

  @Test
  void aCardThatIsNoneIsNamed() throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    Path card = commit(store, "one", List.of()).file(ArtifactStore.CARD);
    for (String content : List.of("null", "[]", "", "7")) {
      Files.writeString(card, content);
      assertThatThrownBy(() -> store.chain(ArtifactKind.CLUSTERS))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining(
              card + " is no artifact card: expected a JSON object, found '" + content + "'");
    }
    Files.writeString(card, "{\"kind\": \"clusters\", \"run\": null}");
    assertThatThrownBy(() -> store.chain(ArtifactKind.CLUSTERS))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining(
            card + " is no artifact card: it lacks schema_version, producer, code_version, run, ");
    Files.writeString(card, "{");
    assertThatThrownBy(() -> store.chain(ArtifactKind.CLUSTERS))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining(card + " is no artifact card: Unexpected end-of-input");
  }

  @Test
  void anErasureKeepsThePlaceAndRefusesTheOldDigest() {
    ArtifactStore store = ArtifactStore.open(home);
    Artifact first = commit(store, "with anna", List.of());
    Artifact second = commit(store, "two", List.of());
    Artifact redacted = commit(store, "without", List.of(first.ref()));
    store.erase(first, "receipt-1", Instant.EPOCH);
    assertThat(store.chain(ArtifactKind.CLUSTERS)).containsExactly(redacted, second);
    assertThat(store.resolve(redacted.ref()).card().supersedes()).containsExactly(first.ref());
    assertThatThrownBy(() -> store.resolve(first.ref()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("was erased");
    assertThat(first.directory()).doesNotExist();
  }

  /**
   * Dies before each file operation in turn, as a kill between two of them would, and looks at the
   * workspace with fresh eyes: there is the old state or the new one, and the work can be done
   * again.
   */
  @Test
  void aKillBetweenAnyTwoFileOperationsLeavesOldOrNew() {
    int steps = 0;
    for (int dieAt = 1; ; dieAt++) {
      Path workspace = home.resolve("kill-" + dieAt);
      Artifact old = commit(ArtifactStore.open(workspace), "old", List.of());
      AtomicInteger step = new AtomicInteger();
      int fatal = dieAt;
      ArtifactStore dying =
          ArtifactStore.open(
              workspace,
              () -> {
                if (step.incrementAndGet() == fatal) {
                  throw new Killed();
                }
              });
      boolean killed = false;
      try {
        commit(dying, "new", List.of());
      } catch (Killed e) {
        killed = true;
      }
      List<Artifact> seen = ArtifactStore.open(workspace).chain(ArtifactKind.CLUSTERS);
      assertThat(seen.get(0)).isEqualTo(old);
      for (Artifact artifact : seen) {
        ArtifactStore.open(workspace).resolve(artifact.ref());
      }
      assertThat(seen).hasSizeLessThanOrEqualTo(2);
      Artifact again = commit(ArtifactStore.open(workspace), "new", List.of());
      assertThat(ArtifactStore.open(workspace).latest(ArtifactKind.CLUSTERS)).contains(again);
      if (!killed) {
        assertThat(seen).hasSize(2);
        break;
      }
      steps++;
    }
    assertThat(steps).as("operations that were interrupted").isGreaterThanOrEqualTo(4);
  }

  @Test
  void anErasureKilledAtAnyStepCanBeFinished() {
    for (int dieAt = 1; dieAt <= 2; dieAt++) {
      Path workspace = home.resolve("erase-" + dieAt);
      Artifact old = commit(ArtifactStore.open(workspace), "old", List.of());
      Artifact redacted = commit(ArtifactStore.open(workspace), "redacted", List.of(old.ref()));
      AtomicInteger step = new AtomicInteger();
      int fatal = dieAt;
      ArtifactStore dying =
          ArtifactStore.open(
              workspace,
              () -> {
                if (step.incrementAndGet() == fatal) {
                  throw new Killed();
                }
              });
      assertThatThrownBy(() -> dying.erase(old, "receipt", Instant.EPOCH))
          .isInstanceOf(Killed.class);
      assertThat(ArtifactStore.open(workspace).chain(ArtifactKind.CLUSTERS))
          .containsExactly(redacted);
      ArtifactStore.open(workspace).erase(old, "receipt", Instant.EPOCH);
      assertThat(old.directory()).doesNotExist();
    }
  }

  @Test
  void whatADeadProcessLeftIsRemoved() throws IOException {
    Path kind = Files.createDirectories(home.resolve("artifacts/clusters"));
    Path orphan = Files.createDirectory(kind.resolve(".staged-999999999-x"));
    Files.writeString(orphan.resolve("half"), "half");
    ArtifactStore store = ArtifactStore.open(home);
    Path mine = store.stage(ArtifactKind.CLUSTERS, RUN);
    assertThat(orphan).doesNotExist();
    store.stage(ArtifactKind.CLUSTERS, RUN);
    assertThat(mine).as("of a living process").exists();
  }

  static Artifact commit(ArtifactStore store, String content, List<ArtifactRef> supersedes) {
    Path staged = store.stage(ArtifactKind.CLUSTERS, RUN);
    try {
      Files.createDirectories(staged.resolve("data"));
      Files.writeString(staged.resolve("data/rows.txt"), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return store.commit(
        staged,
        new ArtifactCard(
            ArtifactKind.CLUSTERS,
            1,
            "mine",
            "0.1.0",
            RUN,
            Instant.EPOCH,
            Digests.sha256("{}"),
            "{}",
            List.of(),
            List.of(),
            Digests.sha256(content),
            0,
            supersedes,
            new TreeMap<>(Map.of("rows", 1)),
            Map.of(),
            null));
  }

  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }
}
