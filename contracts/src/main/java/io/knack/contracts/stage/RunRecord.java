package io.knack.contracts.stage;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.id.RunId;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one stage did in one run: {@code HOME/runs/RUN/STAGE.json}. Written when the inputs are
 * pinned, again when the stage ends; a record without an end is of a stage that runs or was killed.
 *
 * @param plan canonical JSON
 * @param inputs pinned: a second attempt in the same run reads the same
 * @param exit null while it runs
 * @param artifact what it handed on
 * @param reason why it ended as it did, in words
 */
public record RunRecord(
    RunId run,
    String stage,
    String plan,
    List<ArtifactRef> inputs,
    Instant startedAt,
    @Nullable Instant endedAt,
    @Nullable Integer exit,
    @Nullable ArtifactRef artifact,
    @Nullable String reason,
    SortedMap<String, Object> figures) {

  private static final Pattern STAGE = Pattern.compile("([a-z]+)\\.json");

  public RunRecord {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(stage, "stage");
    Objects.requireNonNull(plan, "plan");
    Objects.requireNonNull(startedAt, "started_at");
    Objects.requireNonNull(inputs, "inputs");
    Objects.requireNonNull(figures, "figures");
  }

  public static Path file(Path home, RunId run, String stage) {
    return home.resolve("runs").resolve(run.value()).resolve(stage + ".json");
  }

  public static Optional<RunRecord> read(Path home, RunId run, String stage) {
    Path file = file(home, run, stage);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Jsons.mapper().readValue(Files.readString(file), RunRecord.class));
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is no run record: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw TemporaryException.of("cannot read " + file, e);
    }
  }

  /**
   * Of every stage that a run has begun, by name. What else lies there, the night's own record and
   * what stages spent, is no such record.
   */
  public static List<RunRecord> all(Path home, RunId run) {
    Path directory = home.resolve("runs").resolve(run.value());
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> STAGE.matcher(file.getFileName().toString()))
          .filter(Matcher::matches)
          .map(name -> name.group(1))
          .filter(stage -> !stage.equals("night"))
          .sorted()
          .flatMap(stage -> read(home, run, stage).stream())
          .toList();
    } catch (IOException e) {
      throw TemporaryException.of("cannot list " + directory, e);
    }
  }

  public void write(Path home) {
    Path file = file(home, run, stage);
    try {
      DurableFiles.replace(
          file, Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
    } catch (IOException e) {
      throw TemporaryException.of("cannot write " + file, e);
    }
  }

  RunRecord ended(
      Instant at,
      ExitCode code,
      @Nullable ArtifactRef handedOn,
      @Nullable String why,
      SortedMap<String, Object> numbers) {
    return new RunRecord(
        run, stage, plan, inputs, startedAt, at, code.code(), handedOn, why, numbers);
  }
}
