package io.knack.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.AdapterCard;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.StageObserver;
import io.knack.contracts.stage.StageRunner.Ending;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without a server: what the local records say; {@link MlflowTrackerTest} sends the same. */
final class TrackedStagesTest {
  private static final RunId NIGHT = new RunId("night-1");

  @TempDir Path home;

  @Test
  void everyStageOfEveryModuleIsObserved() {
    assertThat(ServiceLoader.load(StageObserver.class).stream().map(ServiceLoader.Provider::type))
        .contains(TrackedStages.class);
  }

  @Test
  void aNightIsATree() throws IOException {
    trainedNight(home, TrackingPlan.LOCAL);
    List<JsonNode> events = events();
    ObjectNode starts = Jsons.mapper().createObjectNode();
    events.stream()
        .filter(event -> event.path("event").asText().equals("start"))
        .forEach(event -> starts.set(event.path("name").asText(), event));
    assertThat(starts.properties())
        .extracting(Map.Entry::getKey)
        .containsExactlyInAnyOrder("curate", "k-1", "night night-1", "train");
    String night = starts.path("night night-1").path("run").asText();
    assertThat(starts.path("train").path("parent").asText()).isEqualTo(night);
    assertThat(starts.path("curate").path("parent").asText()).isEqualTo(night);
    assertThat(starts.path("k-1").path("parent").asText())
        .isEqualTo(starts.path("train").path("run").asText());
    assertThat(of(events, "params", starts.path("train")).path("params").path("lora.rank").asText())
        .isEqualTo("8");
    assertThat(
            events.stream()
                .filter(event -> event.path("run").equals(starts.path("k-1").path("run")))
                .filter(event -> event.path("values").has("loss"))
                .map(
                    event ->
                        event.path("step").asLong()
                            + " "
                            + event.path("values").path("loss").asText()))
        .containsExactly("1 3.5", "2 2.25");
    assertThat(of(events, "end", starts.path("curate")).path("status").asText())
        .isEqualTo("FAILED");
    assertThat(of(events, "end", starts.path("train")).path("status").asText())
        .isEqualTo("FINISHED");
  }

  /** Two stages of one night at once, as Airflow starts them: one run for the night. */
  @Test
  void allProcessesOfANightShareItsRun() throws IOException {
    TrackedStages observer = new TrackedStages(plan -> plan);
    StageObserver.Watch first = observer.begin(beginning(home, "reflect"));
    StageObserver.Watch second = observer.begin(beginning(home, "remember"));
    first.ended(ending("unchanged", null), Optional.empty());
    second.failed(ExitCode.TEMPORARY, "the endpoint is down");
    assertThat(
            events().stream()
                .filter(event -> event.path("shared").asBoolean())
                .map(event -> event.path("run").asText())
                .distinct())
        .hasSize(1);
  }

  /** One night's two stages: a failed one and one that trained one adapter. */
  static void trainedNight(Path home, TrackingPlan plan) throws IOException {
    TrackedStages observer = new TrackedStages(local -> plan);
    observer.begin(beginning(home, "curate")).failed(ExitCode.CONTRACT, "no clusters");
    StageObserver.Watch train = observer.begin(beginning(home, "train"));
    Artifact artifact = adapters(home);
    train.ended(ending("committed", artifact.ref()), Optional.of(artifact));
  }

  private static Ending ending(String outcome, @Nullable ArtifactRef artifact) {
    return new Ending(
        NIGHT, ExitCode.OK, outcome, artifact, null, new TreeMap<>(Map.of("adapters", 1)));
  }

  private static StageObserver.Beginning beginning(Path home, String stage) {
    return new StageObserver.Beginning(
        home,
        NIGHT,
        stage,
        "{\"lora\": {\"rank\": 8}, \"model\": null}",
        List.of(new ArtifactRef(ArtifactKind.CURRICULUM, "ab".repeat(32))));
  }

  private static Artifact adapters(Path home) throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    Path staged = store.stage(ArtifactKind.ADAPTERS, NIGHT);
    Path adapter = Files.createDirectories(staged.resolve("k-1"));
    Files.writeString(adapter.resolve("adapter_config.json"), "{}");
    Files.writeString(adapter.resolve("adapter_model.safetensors"), "weights");
    Files.writeString(
        adapter.resolve("metrics.jsonl"),
        "{\"step\":1,\"loss\":3.5,\"tokens_per_second\":10}\n{\"step\":2,\"loss\":2.25}\n");
    Files.writeString(
        adapter.resolve(AdapterCard.FILE),
        Jsons.mapper()
            .writeValueAsString(
                new AdapterCard("k-1", new ClusterId("k-1"), null, "base", null, 9, 2, 1.5)));
    return store.commit(
        staged,
        new ArtifactCard(
            ArtifactKind.ADAPTERS,
            1,
            "train",
            "test",
            NIGHT,
            Instant.EPOCH,
            "p",
            "{}",
            List.of(),
            List.of(),
            "c",
            1,
            List.of(),
            new TreeMap<>(),
            Map.of(),
            null));
  }

  private static JsonNode of(List<JsonNode> events, String kind, JsonNode start) {
    return events.stream()
        .filter(event -> event.path("event").asText().equals(kind))
        .filter(event -> event.path("run").equals(start.path("run")))
        .findFirst()
        .orElseThrow();
  }

  private List<JsonNode> events() throws IOException {
    List<JsonNode> events = new ArrayList<>();
    try (Stream<Path> files = Files.list(home.resolve("tracking"))) {
      for (Path file : files.filter(one -> one.toString().endsWith(".jsonl")).sorted().toList()) {
        for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
          events.add(Jsons.mapper().readTree(line));
        }
      }
    }
    return events;
  }
}
