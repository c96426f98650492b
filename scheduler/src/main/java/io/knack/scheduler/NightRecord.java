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
 * @param limited it ended because a limit of its plan was reached
 * @param deviceSeconds of all attempts at all stages
 * @param before what had been spent when the limits began to count: a night that ended at a limit
 *     goes on with limits of its own, one that failed or was killed with what it had left
 */
public record NightRecord(
    RunId run,
    String plan,
    Instant startedAt,
    @Nullable Instant endedAt,
    @Nullable Integer exit,
    @Nullable String verdict,
    @Nullable String reason,
    List<StageRecord> stages,
    boolean limited,
    double deviceSeconds,
    Expense before) {

  /**
   * What a night has cost.
   *
   * @param money tokens and device time, in the currency of the plan's prices
   */
  public record Expense(double deviceSeconds, long tokens, double money) {
    static final Expense NONE = new Expense(0, 0, 0);

    Expense less(Expense other) {
      return new Expense(
          deviceSeconds - other.deviceSeconds, tokens - other.tokens, money - other.money);
    }
  }

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

  static NightRecord begun(RunId run, String plan, Instant at) {
    return new NightRecord(
        run, plan, at, null, null, null, null, List.of(), false, 0, Expense.NONE);
  }

  /** With the time that one attempt at a stage took. */
  NightRecord worked(double seconds) {
    return new NightRecord(
        run,
        plan,
        startedAt,
        endedAt,
        exit,
        verdict,
        reason,
        stages,
        limited,
        deviceSeconds + seconds,
        before);
  }

  NightRecord with(StageRecord stage) {
    List<StageRecord> more = new ArrayList<>(stages);
    more.add(stage);
    return new NightRecord(
        run, plan, startedAt, endedAt, exit, verdict, reason, more, limited, deviceSeconds, before);
  }

  NightRecord ended(Instant at, int code, @Nullable String decided, String why) {
    return new NightRecord(
        run, plan, startedAt, at, code, decided, why, stages, limited, deviceSeconds, before);
  }

  /** Ends at a limit. */
  NightRecord endedAtLimit(Instant at, int code, @Nullable String decided, String why) {
    return new NightRecord(
        run, plan, startedAt, at, code, decided, why, stages, true, deviceSeconds, before);
  }

  /**
   * The same night at its next attempt: what succeeded or had nothing is kept.
   *
   * @param spent so far
   */
  NightRecord resumed(Expense spent) {
    List<StageRecord> kept = stages.stream().filter(stage -> !stage.failed()).toList();
    return new NightRecord(
        run,
        plan,
        startedAt,
        null,
        null,
        null,
        null,
        kept,
        false,
        deviceSeconds,
        limited ? spent : before);
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
      throw new ContractException(file + " is no night's record: " + Jsons.words(e), e);
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
