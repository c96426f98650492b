package io.knack.scheduler;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How far a night has come: {@code HOME/runs/RUN/night.json}, replaced after each stage.
 *
 * @param plan canonical JSON
 * @param exit null while it runs or when it was killed: such a night is resumed
 * @param verdict of the evaluation: promote, hold, insufficient; null when there was none
 */
public record NightRecord(
    RunId run,
    String plan,
    Instant startedAt,
    @Nullable Instant endedAt,
    @Nullable Integer exit,
    @Nullable String verdict,
    @Nullable String reason,
    List<StageRecord> stages) {

  /** File beside the records of the stages. */
  static final String FILE = "night.json";

  /**
   * One stage of the night.
   *
   * @param outcome {@code committed}, {@code already_committed}, {@code unchanged}, {@code
   *     nothing}, {@code skipped} or {@code failed}
   * @param figures what the stage printed
   */
  public record StageRecord(
      String name,
      String outcome,
      int exit,
      double seconds,
      @Nullable String artifact,
      @Nullable String reason,
      Map<String, Object> figures) {
    boolean succeeded() {
      return exit == 0 && !outcome.equals("skipped");
    }

    boolean failed() {
      return outcome.equals("failed");
    }
  }

  public NightRecord {
    stages = List.copyOf(stages);
  }

  NightRecord with(StageRecord stage) {
    List<StageRecord> more = new ArrayList<>(stages);
    more.add(stage);
    return new NightRecord(run, plan, startedAt, endedAt, exit, verdict, reason, more);
  }

  NightRecord ended(Instant at, int code, @Nullable String decided, String why) {
    return new NightRecord(run, plan, startedAt, at, code, decided, why, stages);
  }

  /** The same night at its next attempt: what succeeded or had nothing is kept. */
  NightRecord resumed() {
    List<StageRecord> kept = stages.stream().filter(stage -> !stage.failed()).toList();
    return new NightRecord(run, plan, startedAt, null, null, null, null, kept);
  }

  void write(Path home) {
    Path file = home.resolve("runs").resolve(run.value()).resolve(FILE);
    try {
      DurableFiles.replace(
          file, Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
    } catch (IOException e) {
      throw new TemporaryException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }

  static Optional<NightRecord> read(Path home, RunId run) {
    Path file = home.resolve("runs").resolve(run.value()).resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Jsons.mapper().readValue(Files.readString(file), NightRecord.class));
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is no night's record: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new TemporaryException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** All nights of a workspace, oldest first. */
  static List<NightRecord> all(Path home) {
    Path runs = home.resolve("runs");
    if (!Files.isDirectory(runs)) {
      return List.of();
    }
    try (Stream<Path> directories = Files.list(runs)) {
      return directories
          .filter(directory -> Files.exists(directory.resolve(FILE)))
          .flatMap(directory -> read(home, new RunId(directory.getFileName().toString())).stream())
          .sorted((a, b) -> a.startedAt().compareTo(b.startedAt()))
          .toList();
    } catch (IOException e) {
      throw new TemporaryException("cannot list " + runs + ": " + e.getMessage(), e);
    }
  }
}
