package io.knack.contracts.show;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Fixtures;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.RunRecord;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class ShowCommandTest {
  @TempDir Path home;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private String digest = "";

  @BeforeEach
  void workspace() {
    ArtifactStore store = ArtifactStore.open(home);
    Path staged = store.stage(ArtifactKind.CLUSTERS, new RunId("night"));
    Tables.CLUSTERS.writeInto(staged, Fixtures.CLUSTERS);
    Tables.MEMBERS.writeInto(staged, Fixtures.MEMBERS);
    Artifact artifact =
        store.commit(
            staged,
            new ArtifactCard(
                ArtifactKind.CLUSTERS,
                1,
                "mine",
                "0.1.0",
                new RunId("night"),
                Instant.EPOCH,
                "",
                "{}",
                List.of(),
                List.of(),
                "",
                0,
                List.of(),
                new TreeMap<>(),
                Map.of(),
                null));
    digest = artifact.ref().digest();
  }

  @Test
  void tablesComeAsJsonLines() {
    assertThat(show("members", "--json")).isZero();
    assertThat(out.toString().lines())
        .hasSize(2)
        .first()
        .asString()
        .contains("\"interaction_id\":\"i-1\"", "\"cluster_id\":\"k-1\"");
    assertThat(show("clusters", "--json", "--limit", "1", "--run", "night")).isZero();
    assertThat(out.toString().lines()).hasSize(1);
  }

  @Test
  void tablesComeForTheEye() {
    assertThat(show("members", "--limit", "1")).isZero();
    assertThat(out.toString()).contains("interaction_id", "k-1", "... more").doesNotContain("i-2");
  }

  @Test
  void anArtifactIsFoundByPrefixAndAFileByPath() throws IOException {
    assertThat(show("clusters@" + digest.substring(0, 8))).isZero();
    assertThat(out.toString()).contains("\"producer\" : \"mine\"");
    Path file = home.resolve("x.parquet");
    Tables.INTERACTIONS.write(file, Fixtures.INTERACTIONS);
    assertThat(show(file.toString(), "--json")).isZero();
    assertThat(out.toString()).contains("\"occurred_at\":\"2026-03-04T05:06:07.000008", "多少钱");
    Files.writeString(file, "no Parquet");
    assertThat(show(file.toString())).isEqualTo(65);
  }

  /** Beside the stages' records a run has the night's own, logs, and what stages spent. */
  @Test
  void runsAreTheRecordsOfTheirStages() throws IOException {
    RunId night = new RunId("night");
    RunRecord record =
        new RunRecord(
            night,
            "mine",
            "{}",
            List.of(),
            Instant.EPOCH,
            Instant.EPOCH,
            0,
            ArtifactStore.open(home).chain(ArtifactKind.CLUSTERS).get(0).ref(),
            null,
            new TreeMap<>());
    record.write(home);
    Path run = home.resolve("runs/night");
    Files.writeString(run.resolve("night.json"), "{\"run\":\"night\",\"stages\":[]}");
    Files.writeString(run.resolve("mine.spent.json"), "{\"prompt_tokens\":1}");
    Files.writeString(run.resolve("mine.log"), "said");
    for (String ref : List.of("runs", "night")) {
      assertThat(show(ref, "--json")).as(err.toString()).isZero();
      assertThat(out.toString().lines())
          .hasSize(1)
          .first()
          .asString()
          .contains("\"stage\":\"mine\"", digest);
    }
    assertThat(show("runs", "--run", "night")).isZero();
    assertThat(show("interactions", "--run", "night")).as(err.toString()).isEqualTo(65);
    Files.writeString(RunRecord.file(home, night, "curate"), "{\"run\":\"night\"}");
    assertThat(show("runs")).isEqualTo(65);
    assertThat(err.toString()).contains("curate.json is no run record");
  }

  @Test
  void aManifestReportAndRulesAreShownOrSaidToBeMissing() throws IOException {
    for (String ref : List.of("report", "rules", "manifest")) {
      assertThat(show(ref)).isEqualTo(65);
    }
    assertThat(err.toString()).contains("no manifest in " + home);
    Path manifests = Files.createDirectories(home.resolve("serving/manifests"));
    Files.writeString(manifests.resolve("v000001.json"), "{\"number\":1}");
    Files.writeString(manifests.resolve("v000002.json"), "{\"number\":2}");
    assertThat(show("manifest", "--json")).isZero();
    assertThat(out.toString().strip()).isEqualTo("{\"number\":2}");
  }

  @Test
  void mistakesAreNamed() {
    assertThat(show("nonsense")).isEqualTo(2);
    assertThat(err.toString()).contains("nothing to show for 'nonsense'", "clusters, members");
    assertThat(show("trials")).isEqualTo(65);
    assertThat(err.toString()).contains("no evaluation in");
    assertThat(show("cluster@00")).isEqualTo(2);
    assertThat(show("clusters", "--run", "../x")).isEqualTo(2);
    assertThat(show("clusters", "--limit", "-1")).isEqualTo(2);
  }

  @Test
  void aPlaceThatIsNoWorkspaceIsNotTakenForAnEmptyOne() throws IOException {
    Path workspace = home;
    home = Files.writeString(workspace.resolve("passwd"), "x");
    assertThat(show("members")).isEqualTo(2);
    assertThat(err.toString()).contains("--home " + home + " is a file, expected a directory");
    home = home.resolve("below");
    assertThat(show("members")).isEqualTo(2);
    assertThat(err.toString()).contains("--home " + home + " cannot be read: ", "Not a directory");
    assertThat(show("members", "--help")).isZero();
    home = Files.createDirectory(workspace.resolve("part"));
    Files.writeString(home.resolve("serving"), "x");
    assertThat(show("manifest")).isEqualTo(2);
    assertThat(err.toString()).contains("serving is a file, expected a directory");
    home = workspace.resolve("not-there-yet");
    assertThat(show("members")).isEqualTo(65);
    assertThat(err.toString()).contains("no clusters in " + home);
  }

  @Test
  void aFileThatWasAddedToATableIsRefused() throws IOException {
    Path artifact;
    try (Stream<Path> artifacts = Files.list(home.resolve("artifacts/clusters"))) {
      artifact =
          artifacts
              .filter(path -> path.getFileName().toString().startsWith("0"))
              .findFirst()
              .orElseThrow();
    }
    Files.copy(artifact.resolve("members.parquet"), artifact.resolve("more.parquet"));
    assertThat(show("members")).isEqualTo(65);
    assertThat(err.toString()).contains("more.parquet is no part of the artifact");
  }

  @Test
  void aFileThatIsGoneOrCutIsNotShownAsFewerRows() throws IOException {
    Path artifact = ArtifactStore.open(home).chain(ArtifactKind.CLUSTERS).get(0).directory();
    Path table = artifact.resolve("members.parquet");
    byte[] whole = Files.readAllBytes(table);
    Files.write(table, java.util.Arrays.copyOf(whole, whole.length - 1));
    assertThat(show("clusters")).isEqualTo(65);
    assertThat(err.toString()).contains("members.parquet has " + (whole.length - 1) + " bytes");
    Files.delete(table);
    assertThat(show("clusters")).isEqualTo(65);
    assertThat(err.toString()).contains("members.parquet is missing; its card lists it");
  }

  @Test
  void whatIsNotThereIsSaidToBeMissing() {
    assertThat(show("members", "--run", "nope")).isEqualTo(65);
    assertThat(err.toString()).contains("run nope handed on no clusters");
    assertThat(show("runs", "--run", "nope")).isEqualTo(2);
    assertThat(err.toString()).contains("there is no run nope in " + home);
    assertThat(show("")).isEqualTo(2);
  }

  private int show(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> all = new ArrayList<>(List.of("show"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--home", home.toString()));
    CommandLine line =
        io.knack.contracts.cli.KnackCli.commandLine(new CommandLine(new ShowCommandHolder()));
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(all.toArray(new String[0]));
  }

  @CommandLine.Command(name = "knack", subcommands = ShowCommand.class)
  private static final class ShowCommandHolder {}
}
