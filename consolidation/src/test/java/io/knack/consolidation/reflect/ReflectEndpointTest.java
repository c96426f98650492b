package io.knack.consolidation.reflect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.Attempt;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Outcome;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleSet;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.llm.http.Endpoint;
import io.knack.llm.http.EndpointCalls;
import io.knack.llm.http.HttpModel;
import io.knack.practice.prompt.Replies;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All three ways on word problems, by an endpoint that fails in every way it can. */
class ReflectEndpointTest {
  private static final Instant START = Given.START;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LESSON =
      "write one small calculation a line, check the units, and end with the answer alone";

  /** A question, a right and a wrong solution. */
  private record Solved(String question, String right, String wrong) {
    String answer() {
      return Replies.conclusion(right).orElseThrow();
    }
  }

  /** Model solutions of GSM8K where they lie beside the project, else a few of our own. */
  private static List<Solved> problems() throws Exception {
    Path file =
        Path.of(System.getProperty("knack.root", ".."))
            .resolve("../shared/data/gsm8k-model-solutions/example_model_solutions.jsonl");
    List<Solved> solved = new ArrayList<>();
    if (Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        JsonNode row = JSON.readTree(line);
        String wrong = row.path("6b_finetuning").path("solution").asText();
        boolean failed = !row.path("6b_finetuning").path("is_correct").asBoolean();
        if (failed && solved.size() < 24) {
          solved.add(
              new Solved(row.path("question").asText(), row.path("ground_truth").asText(), wrong));
        }
      }
      return solved;
    }
    for (int i = 0; i < 24; i++) {
      int each = 3 + i % 7;
      solved.add(
          new Solved(
              "Mira packs %d crates with %d jars each and gives %d jars away. How many are left?"
                  .formatted(i + 2, each, i % 5),
              "%d*%d=%d\nA: %d".formatted(i + 2, each, (i + 2) * each, (i + 2) * each - i % 5),
              "A: %d".formatted((i + 2) * each + 1)));
    }
    return solved;
  }

  private static String says(JsonNode request, List<Solved> problems) {
    StringBuilder all = new StringBuilder();
    request.path("messages").forEach(m -> all.append(m.path("content").asText()).append('\n'));
    String prompt = all.toString();
    if (prompt.contains("Write at most")) {
      return "WHEN: several amounts are combined\nTHEN: " + LESSON;
    }
    for (Solved one : problems) {
      if (prompt.contains(one.question())) {
        boolean told = prompt.contains(LESSON);
        boolean lucky = Math.floorMod(request.path("seed").asLong() >> 7, 5) == 0;
        return told || lucky ? "A: " + one.answer() : "A: 0.123";
      }
    }
    return "A: ?";
  }

  private static Artifact commit(Path home, ArtifactKind kind, List<Solved> problems)
      throws Exception {
    ArtifactStore store = ArtifactStore.open(home);
    RunId run = new RunId("given");
    Path directory = store.stage(kind, run);
    if (kind == ArtifactKind.CURRICULUM) {
      List<Example> examples = new ArrayList<>();
      List<Evidence> evidence = new ArrayList<>();
      for (int i = 0; i < problems.size(); i++) {
        Solved one = problems.get(i);
        boolean train = i % 12 < 4;
        ExampleId id = new ExampleId("e" + i);
        examples.add(
            Given.example(
                id,
                "cluster-" + i / 12,
                START.plus(Duration.ofMinutes(i)),
                Interaction.NO_TENANT,
                one.question(),
                train ? one.right() : null,
                one.answer()));
        evidence.add(
            new Evidence(
                id, List.of(new Attempt(null, one.wrong(), 0, 0, 0, 0.0, Outcome.FAILED))));
      }
      Tables.EXAMPLES.writeInto(directory, examples);
      Tables.EVIDENCE.writeInto(directory, evidence);
    } else {
      Tables.CLUSTERS.writeInto(directory, List.of());
    }
    return store.commit(directory, Given.card(kind));
  }

  @Test
  void nothingIsLostAndNothingIsStoredTwice(@TempDir Path home) throws Exception {
    List<Solved> problems = problems();
    commit(home, ArtifactKind.CURRICULUM, problems);
    commit(home, ArtifactKind.CLUSTERS, problems);
    try (HostileEndpoint endpoint = new HostileEndpoint(r -> says(r, problems))) {
      EndpointCalls calls =
          new EndpointCalls(
              "NO_SUCH_KEY",
              16,
              Duration.ofSeconds(60),
              6,
              Duration.ofMillis(1),
              Duration.ofSeconds(1),
              0);
      Endpoint there = new Endpoint(endpoint.address(), "m", calls);
      ReflectPlan plan = Plans.read(ReflectPlan.class, null, List.of("drafting.cases=4"));
      StageRunner runner =
          new StageRunner(home, Clock.fixed(START, ZoneOffset.UTC), Console.silent());
      ReflectStage stage = new ReflectStage(p -> HttpModel.open(there));
      StageRunner.Ending first = runner.run(stage, plan, new RunId("one"));

      // Two lessons: four cases one by one, six replies on four together, four updates.
      assertThat(first.figures()).containsEntry("reflections", 2L * (4 + 6 + 4));
      assertThat(first.figures()).containsEntry("reflection_faults", 0L);
      assertThat(first.figures()).containsEntry("replay_faults", 0L);
      assertThat(endpoint.met.keySet()).containsExactlyInAnyOrder(HostileEndpoint.Trouble.values());
      RuleSet rules =
          Jsons.mapper()
              .readValue(
                  ArtifactStore.open(home)
                      .latest(ArtifactKind.RULES)
                      .orElseThrow()
                      .file("rules.json")
                      .toFile(),
                  RuleSet.class);
      assertThat(rules.rules()).extracting(Rule::id).doesNotHaveDuplicates();
      assertThat(rules.rules())
          .extracting(r -> r.clusterId() + " " + r.way())
          .containsExactlyInAnyOrder(
              "cluster-0 multi_case",
              "cluster-0 reflect",
              "cluster-0 update",
              "cluster-1 multi_case",
              "cluster-1 reflect",
              "cluster-1 update");
      assertThat(rules.rules()).allMatch(r -> r.then().equals(LESSON) && !r.evidence().isEmpty());

      // The same night again changes nothing and asks nothing.
      int asked = endpoint.answered.get();
      StageRunner.Ending second = runner.run(stage, plan, new RunId("two"));
      assertThat(second.outcome()).isEqualTo("already_committed");
      assertThat(endpoint.answered).hasValue(asked);
      assertThat(ArtifactStore.open(home).chain(ArtifactKind.RULES)).hasSize(1);
    }
  }
}
