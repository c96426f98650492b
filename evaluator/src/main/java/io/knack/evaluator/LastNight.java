package io.knack.evaluator;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How the last night ended: by its record where a night ran, by the last evaluation where stages
 * ran alone.
 *
 * @param verdict {@code promote}, {@code hold} or {@code insufficient}; null when nothing was
 *     judged
 * @param reason in words; what it waits for when it has not ended
 */
record LastNight(String run, @Nullable String verdict, String reason) {

  static Optional<LastNight> of(Path home) {
    if (!Files.isDirectory(home)) {
      return Optional.empty();
    }
    return newestRecord(home.resolve("runs"))
        .map(
            night ->
                new LastNight(
                    night.path("run").asText(),
                    night.path("verdict").isTextual() ? night.path("verdict").asText() : null,
                    night.path("exit").isNull()
                        ? "has not ended: it runs, or the next './knack night' resumes it"
                        : night.path("reason").asText()))
        .or(
            () ->
                ArtifactStore.open(home).latest(ArtifactKind.EVALUATION).map(LastNight::evaluated));
  }

  /** When the schedule starts the next one; empty without a schedule that lies ahead. */
  static Optional<Instant> next(Path home, Instant now) {
    Path file = home.resolve("schedule").resolve("next.json");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    JsonNode next = read(file).path("next_night");
    return next.isTextual()
        ? Optional.of(Instant.parse(next.asText())).filter(at -> at.isAfter(now))
        : Optional.empty();
  }

  private static LastNight evaluated(Artifact evaluation) {
    return new LastNight(
        evaluation.card().run().value(),
        String.valueOf(evaluation.card().figures().getOrDefault("verdict", "unknown")),
        String.valueOf(evaluation.card().figures().getOrDefault("rule", "")));
  }

  private static Optional<JsonNode> newestRecord(Path runs) {
    if (!Files.isDirectory(runs)) {
      return Optional.empty();
    }
    try (Stream<Path> directories = Files.list(runs)) {
      return directories
          .map(directory -> directory.resolve("night.json"))
          .filter(Files::exists)
          .map(LastNight::read)
          .max(Comparator.comparing(night -> Instant.parse(night.path("started_at").asText())));
    } catch (IOException e) {
      throw new TemporaryException("cannot list " + runs + ": " + e.getMessage(), e);
    }
  }

  private static JsonNode read(Path file) {
    try {
      return Jsons.mapper().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new ContractException(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
