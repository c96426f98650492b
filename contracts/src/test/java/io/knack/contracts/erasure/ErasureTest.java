package io.knack.contracts.erasure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.ClusterMember;
import io.knack.contracts.Manifest;
import io.knack.contracts.RuleSet;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.LeaseHolder;
import io.knack.contracts.stage.StageLock;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.Salt;
import io.knack.contracts.store.ServingManifests;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class ErasureTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-05T06:07:08Z"), ZoneOffset.UTC);

  @TempDir Path directory;

  @Test
  void aPersonLeavesEveryArtifactAndServing() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    ArtifactStore store = ArtifactStore.open(home);
    ArtifactRef before = store.latest(ArtifactKind.CURRICULUM).orElseThrow().ref();

    Receipt receipt = new Erasure(home, CLOCK).forget(SmallWorkspace.ALICE);

    assertNoTrace(home);
    assertThat(receipt.outcome()).isEqualTo("erased");
    assertThat(receipt.counts())
        .containsEntry("interactions", 2L)
        .containsEntry("members", 2L)
        .containsEntry("examples", 1L)
        .containsEntry("evidence", 1L)
        .containsEntry("episodes", 1L)
        .containsEntry("trials", 1L)
        .containsEntry("rules_retired", 1L)
        .containsEntry("rule_evidence", 1L)
        .containsEntry("adapters", 1L)
        .containsEntry("artifacts_replaced", 8L);
    assertThat(receipt.retrain()).containsExactly("k-1");
    assertThat(receipt.adapters()).singleElement().asString().startsWith("k-1-");
    assertThat(RetrainQueue.read(home).clusters()).hasToString("[k-1]");
    assertThat(RetrainQueue.settle(home, Set.of(new ClusterId("k-2")))).isZero();
    assertThat(RetrainQueue.read(home).clusters()).hasToString("[k-1]");
    assertThat(RetrainQueue.settle(home, Set.of(new ClusterId("k-1")))).isEqualTo(1);
    assertThat(RetrainQueue.read(home).queued()).isEmpty();

    assertThat(receipt.manifest()).isEqualTo(2);
    Manifest live = ServingManifests.read(home.resolve("serving/manifests/v000002.json"));
    assertThat(live.previous()).isEqualTo(1);
    assertThat(live.reason()).contains(receipt.receipt());
    assertThat(live.entries()).singleElement().hasFieldOrPropertyWithValue("memory", "adapter");
    assertThat(ServingManifests.read(home.resolve("serving/manifests/v000001.json")).entries())
        .hasSize(1);
    assertThat(home.resolve("serving/adapters")).isDirectoryNotContaining("glob:**k-1-*");
    assertThat(home.resolve("serving/adapters")).isDirectoryContaining("glob:**k-2-*");

    assertThat(store.chain(ArtifactKind.INTERACTIONS)).hasSize(2);
    assertThatThrownBy(() -> store.resolve(before))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("erased");
    assertThat(store.current(before)).isPresent();
    for (ArtifactKind kind : ArtifactKind.values()) {
      store.chain(kind).forEach(artifact -> assertThat(store.resolve(artifact.ref())).isNotNull());
    }
    assertThat(ErasedSubjects.read(home).hashes())
        .containsExactly(Salt.of(home).hash(SmallWorkspace.ALICE));
  }

  @Test
  void othersKeepWhatIsTheirs() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    new Erasure(home, CLOCK).forget(SmallWorkspace.ALICE);
    ArtifactStore store = ArtifactStore.open(home);
    assertThat(rows(store, ArtifactKind.INTERACTIONS, Tables.INTERACTIONS))
        .extracting(row -> row.id().value())
        .containsExactlyInAnyOrder("i-2", "i-3");
    assertThat(rows(store, ArtifactKind.CURRICULUM, Tables.EXAMPLES))
        .extracting(row -> row.id().value())
        .containsExactly("e-2");
    Artifact rules = store.latest(ArtifactKind.RULES).orElseThrow();
    RuleSet live =
        Jsons.mapper().readValue(Files.readString(rules.file("rules.json")), RuleSet.class);
    assertThat(live.rules())
        .singleElement()
        .satisfies(
            rule -> {
              assertThat(rule.id().value()).isEqualTo("r-2");
              assertThat(rule.evidence()).hasToString("[e-2]");
            });
    List<String> ledger = DurableFiles.wholeLines(rules.file("ledger.jsonl"));
    assertThat(ledger).hasSize(3);
    assertThat(ledger.get(2)).contains("\"sequence\":3", "RETIRED", "r-1");
    Artifact clusters = store.latest(ArtifactKind.CLUSTERS).orElseThrow();
    assertThat(Tables.CLUSTERS.readAllFrom(clusters.directory()).get(0).exemplars())
        .containsExactly(SmallWorkspace.BOBS);
  }

  @Test
  void asHashAndASecondTime() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    String hash = Salt.of(home).hash(SmallWorkspace.ALICE);
    Receipt first = new Erasure(home, CLOCK).forget(hash);
    assertNoTrace(home);
    Receipt second = new Erasure(home, CLOCK).forget(SmallWorkspace.ALICE);
    assertThat(second.outcome()).isEqualTo("nothing_left");
    assertThat(second.receipt()).isEqualTo(first.receipt());
    assertThat(home.resolve("erasures").toFile().list())
        .containsExactlyInAnyOrder(first.receipt() + ".json", "subjects.json", "retrain.json");
    assertThat(Files.readString(home.resolve("erasures").resolve(first.receipt() + ".json")))
        .doesNotContain(hash, SmallWorkspace.ALICE);
    assertThat(home.resolve("serving/manifests/v000003.json")).doesNotExist();
  }

  @Test
  void aSubjectThatNobodyIsIsSaidToBeNobody() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    Path log = Files.createDirectories(home.resolve("runs/night")).resolve("mine.log");
    Files.writeString(log, "kept");
    List<ArtifactRef> before = refs(home);

    Receipt receipt = new Erasure(home, CLOCK).forget("nobodyatall");

    assertThat(receipt.outcome()).isEqualTo("not_found");
    assertThat(receipt.counts()).isEmpty();
    assertThat(refs(home)).isEqualTo(before);
    assertThat(log).exists();
    assertThat(ErasedSubjects.read(home).hashes())
        .as("a log of them that comes later is left out")
        .containsExactly(Salt.of(home).hash("nobodyatall"));
    Receipt again = new Erasure(home, CLOCK).forget("nobodyatall");
    assertThat(again.outcome()).isEqualTo("not_found");
    assertThat(again.receipt()).isEqualTo(receipt.receipt());

    StringWriter out = new StringWriter();
    CommandLine line = new CommandLine(new ForgetCommand());
    line.setOut(new PrintWriter(out, true));
    assertThat(line.execute("--home", home.toString(), "--subject", "nobodyatall")).isZero();
    assertThat(out.toString())
        .startsWith("no interactions of this subject were found; nothing to erase");
  }

  /** A tracking server that was away still gets the cards; reports may quote, and go. */
  @Test
  void waitingCardsStay() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    Path waiting = Files.createDirectories(home.resolve("tracking/20260305.files"));
    Files.writeString(waiting.resolve("0-artifact.json"), "{}");
    Files.writeString(waiting.resolve("1-report.html"), SmallWorkspace.ALICES);

    new Erasure(home, CLOCK).forget(SmallWorkspace.ALICE);

    assertThat(waiting.toFile().list()).containsExactly("0-artifact.json");
  }

  private static List<ArtifactRef> refs(Path home) {
    ArtifactStore store = ArtifactStore.open(home);
    return Stream.of(ArtifactKind.values())
        .flatMap(kind -> store.chain(kind).stream())
        .map(Artifact::ref)
        .toList();
  }

  @Test
  void killedAnywhereItIsCompletedByRunningAgain() throws IOException {
    TreeMap<String, Long> whole = null;
    int kills = 0;
    for (int step = 0; ; step += 15) {
      Path home = SmallWorkspace.create(directory.resolve("home" + step));
      boolean killed = forgetUntil(home, step == 0 ? Integer.MAX_VALUE : step);
      Receipt receipt = killed ? new Erasure(home, CLOCK).forget(SmallWorkspace.ALICE) : null;
      assertNoTrace(home);
      if (receipt != null && receipt.outcome().equals("erased")) {
        kills++;
        TreeMap<String, Long> counts = new TreeMap<>(receipt.counts());
        counts.remove("files");
        assertThat(counts).as("killed before step %d", step).isEqualTo(whole);
        assertThat(receipt.manifest()).isEqualTo(2);
        assertThat(receipt.adapters()).hasSize(1);
      } else if (step == 0) {
        Path file =
            home.resolve("erasures")
                .resolve(ErasedSubjects.read(home).subjects().get(0).receipt() + ".json");
        whole =
            new TreeMap<>(Jsons.mapper().readValue(Files.readString(file), Receipt.class).counts());
        whole.remove("files");
      } else {
        break;
      }
      DurableFiles.deleteTree(home);
    }
    assertThat(kills).isGreaterThan(4);
  }

  @Test
  void refusesWhileAStageOrANightIsAtWork() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    try (StageLock mine = StageLock.take(home, "mine")) {
      assertThat(mine).isNotNull();
      assertThatThrownBy(() -> new Erasure(home, CLOCK).forget("x"))
          .isInstanceOf(TemporaryException.class)
          .hasMessageContaining("another mine is at work");
    }
    LeaseHolder.self("night", CLOCK.instant()).write(home);
    assertThatThrownBy(() -> new Erasure(home, CLOCK).forget("x"))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("a night is at work in " + home + " (process ");
  }

  @Test
  void aDeadNightStopsNobody() throws IOException {
    Path home = SmallWorkspace.create(directory.resolve("home"));
    Instant tomorrow = CLOCK.instant().plus(Duration.ofDays(1));
    new LeaseHolder("a clock jumped back", "another-machine", 1, 1, tomorrow).write(home);
    assertThat(new Erasure(home, CLOCK).forget("x").outcome()).isEqualTo(Receipt.NOT_FOUND);
    Files.writeString(LeaseHolder.file(home), "{\"owner\":\"x\",\"expires\":\"soon\"}");
    assertThat(new Erasure(home, CLOCK).forget("x").outcome()).isEqualTo(Receipt.NOT_FOUND);
  }

  private static boolean forgetUntil(Path home, int step) {
    int[] steps = {0};
    try {
      new Erasure(
              home,
              CLOCK,
              () -> {
                if (++steps[0] == step) {
                  throw new Killed();
                }
              })
          .forget(SmallWorkspace.ALICE);
      return false;
    } catch (Killed e) {
      return true;
    }
  }

  private static void assertNoTrace(Path home) throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    String hash = Salt.of(home).hash(SmallWorkspace.ALICE);
    for (Table<?> table : Tables.ALL) {
      try (Stream<Path> files = Files.walk(home.resolve("artifacts"))) {
        for (Path file :
            files.filter(f -> f.getFileName().toString().endsWith(".parquet")).toList()) {
          try (Stream<?> rows = Tables.rowsOf(file)) {
            assertThat(rows.toList().toString())
                .as(table.name() + " " + file)
                .doesNotContain(hash, "i-1", "e-1", SmallWorkspace.ALICES);
          }
        }
      }
    }
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.startsWith(home.resolve("erasures"))
            && !file.getFileName().toString().endsWith(".parquet")) {
          assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
              .as(file.toString())
              .doesNotContain(hash, SmallWorkspace.ALICES, "\"e-1\"", "\"i-1\"");
        }
      }
    }
    try (Stream<Path> walk = Files.walk(home.resolve("artifacts"), 2)) {
      assertThat(walk.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith(".staged"));
    }
    assertThat(rows(store, ArtifactKind.CLUSTERS, Tables.MEMBERS))
        .containsExactly(
            new ClusterMember(new InteractionId("i-2"), null, new FamilyId("f-1"), 0.125));
  }

  private static <T extends Record> List<T> rows(
      ArtifactStore store, ArtifactKind kind, Table<T> table) {
    List<T> rows = new ArrayList<>();
    store.chain(kind).forEach(artifact -> rows.addAll(table.readAllFrom(artifact.directory())));
    return rows;
  }

  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }
}
