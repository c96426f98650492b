package io.knack.contracts.show;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.cli.KnackCli;
import io.knack.contracts.erasure.ForgetCommand;
import io.knack.contracts.erasure.SmallWorkspace;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class ExplainCommandTest {
  @TempDir Path directory;
  private Path home = Path.of("");
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void workspace() throws IOException {
    home = SmallWorkspace.create(directory.resolve("home"));
  }

  @Test
  void anEntryIsFollowedToItsInteractions() {
    assertThat(run("explain", "manifest")).isZero();
    assertThat(out.toString())
        .contains(
            "manifest v000001",
            "entry v000001/k-2",
            "verdict: promote",
            "decided_by: saves",
            "plan_digest: plan-of-train",
            "learnt_from_examples: 1",
            "plan_digest: plan-of-mine",
            "days: {2026-03-04=1}",
            "ids: [i-2]");
    assertThat(run("explain", "v000001/k-1")).isZero();
    assertThat(out.toString()).contains("episode: p-1", "ids: [i-1]").doesNotContain("k-2");
  }

  @Test
  void everyKindOfRefAndJson() throws IOException {
    assertThat(run("explain", "r-2", "--json")).isZero();
    JsonNode rule = new ObjectMapper().readTree(out.toString());
    assertThat(rule.path("kind").asText()).isEqualTo("rule");
    assertThat(rule.path("facts").path("evidence")).hasSize(2);
    JsonNode curriculum = rule.path("from").path(1);
    assertThat(curriculum.path("facts").path("learnt_from_examples").asInt()).isEqualTo(2);
    assertThat(curriculum.path("from").path(0).path("from").path(0).path("facts").path("ids"))
        .hasSize(2);
    Path adapter = ArtifactStore.open(home).latest(ArtifactKind.ADAPTERS).orElseThrow().file("k-2");
    for (String ref : List.of("p-1", "k-1", adapter.toString(), "v000001")) {
      assertThat(run("explain", ref)).as(ref + err).isZero();
      assertThat(out.toString()).contains("plan_digest");
    }
  }

  @Test
  void unknownRefsEndWithTwo() {
    assertThat(run("explain", "nonsense")).isEqualTo(2);
    assertThat(err.toString()).contains("nothing to explain for 'nonsense'", "a rule id");
    assertThat(run("explain", "v000009")).isEqualTo(2);
    assertThat(run("explain", "v000001/k-9")).isEqualTo(2);
    assertThat(err.toString()).contains("[k-1, k-2]");
  }

  @Test
  void afterAnErasureTheWayIsStillThere() {
    assertThat(run("forget", "--subject", SmallWorkspace.ALICE)).isZero();
    assertThat(out.toString()).contains("interactions: 2", "manifest 2 is live");
    assertThat(run("explain", "manifest")).isZero();
    assertThat(out.toString())
        .contains("manifest v000002", "adapter adapters@", "ids: [i-2]")
        .doesNotContain("i-1");
  }

  private int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    CommandLine line = KnackCli.commandLine(new CommandLine(new Verbs()));
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    List<String> all = new java.util.ArrayList<>(List.of(arguments));
    all.addAll(List.of("--home", home.toString()));
    return line.execute(all.toArray(new String[0]));
  }

  @CommandLine.Command(
      name = "knack",
      subcommands = {ExplainCommand.class, ForgetCommand.class})
  private static final class Verbs {}
}
