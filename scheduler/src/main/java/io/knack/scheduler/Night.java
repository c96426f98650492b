package io.knack.scheduler;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.Allowance;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Jsons;
import io.knack.scheduler.NightRecord.Expense;
import io.knack.scheduler.NightRecord.StageRecord;
import io.knack.scheduler.StageLauncher.StageExit;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One night: the stages of the graph in order, each a process by the stage protocol. The record is
 * replaced after every stage, so that whatever kills the night, the next attempt goes on behind the
 * last stage that ended; a stage that was cut off is run again and recognises its own work.
 */
final class Night {
  private static final String STOPPED = "stopped on request";
  private static final Duration FOREVER = Duration.ofDays(365);

  private final Path home;
  private final NightPlan plan;
  private final StageGraph graph;
  private final StageLauncher launcher;
  private final Clock clock;
  private final Console console;
  private final Pause pause;
  private final CountDownLatch stopped = new CountDownLatch(1);

  /** How the night waits; a test does not. */
  interface Pause {
    Pause REAL =
        (wait, stopped) -> {
          if (stopped.await(wait.toMillis(), TimeUnit.MILLISECONDS)) {
            return; // Whoever waits looks at the stop itself.
          }
        };

    /**
     * @param stopped ends the wait
     */
    void forAtMost(Duration wait, CountDownLatch stopped) throws InterruptedException;
  }

  Night(
      Path home,
      NightPlan plan,
      StageGraph graph,
      StageLauncher launcher,
      Clock clock,
      Console console,
      Pause pause) {
    this.home = home.toAbsolutePath().normalize();
    this.plan = plan;
    this.graph = graph.making(Set.copyOf(plan.memories()));
    this.launcher = launcher;
    this.clock = clock;
    this.console = console;
    this.pause = pause;
  }

  /** Asks the stage at work to stop; the night then ends with 75 and can be resumed. */
  void stop() {
    stopped.countDown();
    launcher.stop();
  }

  /**
   * Runs the night, or what is left of the one that did not end.
   *
   * @param run null to resume the last one if it did not end, else for a new one
   * @throws TemporaryException when another night is at work
   */
  NightRecord run(@Nullable RunId run) throws InterruptedException {
    try (NightLease lease = NightLease.take(home, clock, this::stop)) {
      NightRecord record = begin(run);
      List<StageRecord> behind = record.stages();
      if (!behind.isEmpty() && record.exit() == null) {
        console.say(
            "night: resuming " + record.run() + " behind " + behind.get(behind.size() - 1).name());
      }
      console.say("night: " + record.run() + ", " + lease.file());
      record.write(home);
      Instant started = clock.instant();
      for (StageGraph.Node node : graph.stages()) {
        if (stageOf(record, node.name()).isPresent()) {
          continue;
        }
        Optional<String> skip = reasonToSkip(record, node);
        if (skip.isPresent()) {
          record = record.with(skipped(node, skip.get()));
          record.write(home);
          continue;
        }
        Optional<String> limit = limitReached(record, started);
        if (limit.isPresent()) {
          return endAtLimit(record, limit.get());
        }
        Instant from = clock.instant();
        StageRecord stage = runStage(record, node, started);
        record =
            record.worked(Duration.between(from, clock.instant()).toMillis() / 1e3).with(stage);
        record.write(home);
        console.say(
            String.format(
                Locale.ROOT,
                "night: %s %s, %.1f s",
                node.name(),
                stage.outcome(),
                stage.seconds()));
        if (stage.failed()) {
          Optional<String> reached = limitReached(record, started);
          return stage.exit() == ExitCode.TEMPORARY.code() && reached.isPresent()
              ? endAtLimit(record, reached.get())
              : end(record, stage.exit(), node.name() + " failed: " + stage.reason());
        }
      }
      return end(record, ExitCode.OK.code(), conclusion(record));
    }
  }

  /** What a night would do, stage by stage, without doing it. */
  NightForecast forecast(@Nullable RunId run) {
    NightRecord record = begin(run);
    return NightForecast.of(home, plan, graph, record, this::arguments, environment(record));
  }

  private NightRecord begin(@Nullable RunId run) {
    String planJson = Plans.canonicalJson(plan);
    Optional<NightRecord> earlier =
        run != null
            ? NightRecord.read(home, run)
            : NightRecord.all(home).stream()
                .reduce((first, second) -> second)
                .filter(last -> last.exit() == null || last.exit() != 0);
    if (earlier.isPresent() && earlier.get().plan().equals(planJson)) {
      NightRecord resumed = earlier.get();
      if (resumed.exit() == null || resumed.exit() != 0) {
        resumed = resumed.resumed(spent(resumed));
      }
      return resumed;
    }
    RunId id = run != null ? run : StageRunner.newRunId(clock);
    return NightRecord.begun(id, planJson, clock.instant());
  }

  private StageRecord runStage(NightRecord record, StageGraph.Node node, Instant started)
      throws InterruptedException {
    Path log = home.resolve("runs").resolve(record.run().value()).resolve(node.name() + ".log");
    Duration wait = plan.backOff();
    Instant from = clock.instant();
    for (int attempt = 1; ; attempt++) {
      console.say("night: " + node.name());
      StageExit exit =
          launcher.launch(
              arguments(record.run(), node.name()),
              environment(record.worked(secondsSince(from))),
              timeLeft(record, started),
              log);
      JsonNode document = document(exit.output());
      double seconds = secondsSince(from);
      if (exit.code() == ExitCode.OK.code() || exit.code() == ExitCode.NOTHING.code()) {
        return new StageRecord(
            node.name(),
            document.path("outcome").asText(exit.code() == 0 ? "done" : "nothing"),
            exit.code(),
            seconds,
            text(document, "artifact"),
            text(document, "reason"),
            figures(document));
      }
      boolean again =
          exit.code() == ExitCode.TEMPORARY.code()
              && attempt < plan.attempts()
              && limitReached(record.worked(seconds), started).isEmpty();
      if (!again) {
        boolean signalled = exit.code() > 128;
        int code = signalled || stopRequested() ? ExitCode.TEMPORARY.code() : exit.code();
        String why =
            stopRequested()
                ? STOPPED
                : "exit " + exit.code() + "; its words are in " + home.relativize(log);
        return new StageRecord(node.name(), "failed", code, seconds, null, why, figures(document));
      }
      console.say("night: " + node.name() + " wants to be tried again, in " + spell(wait));
      pause.forAtMost(wait, stopped);
      if (stopRequested()) {
        return new StageRecord(
            node.name(),
            "failed",
            ExitCode.TEMPORARY.code(),
            secondsSince(from),
            null,
            STOPPED,
            figures(document));
      }
      wait = wait.multipliedBy(2);
    }
  }

  private double secondsSince(Instant from) {
    return Duration.between(from, clock.instant()).toMillis() / 1e3;
  }

  private boolean stopRequested() {
    return stopped.getCount() == 0;
  }

  /** Where runs are recorded, and what is left of the limits, for the stage to keep to. */
  private Map<String, String> environment(NightRecord record) {
    Map<String, String> variables = new TreeMap<>();
    NightPlan.Tracking tracking = plan.tracking();
    if (tracking.server() != null) {
      variables.put("MLFLOW_TRACKING_URI", tracking.server());
      variables.put("MLFLOW_EXPERIMENT_NAME", tracking.experiment());
    }
    NightPlan.Limits limits = plan.limits();
    if (limits.tokens() != null || limits.money() != null) {
      Expense counted = spent(record).less(record.before());
      Long tokens = limits.tokens() == null ? null : limits.tokens() - counted.tokens();
      Double money = limits.money() == null ? null : limits.money() - counted.money();
      try {
        variables.put(
            Allowance.VARIABLE,
            Jsons.mapper().writeValueAsString(new Allowance.Limits(tokens, money, plan.prices())));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    }
    return variables;
  }

  private List<String> arguments(RunId run, String stage) {
    return StageArguments.of(plan, home, run, stage);
  }

  private Optional<String> reasonToSkip(NightRecord record, StageGraph.Node node) {
    if (node.needs().isEmpty()) {
      return Optional.empty();
    }
    long succeeded =
        node.needs().stream()
            .flatMap(need -> stageOf(record, need).stream())
            .filter(StageRecord::succeeded)
            .count();
    boolean runs =
        switch (node.join()) {
          case ALL -> succeeded == node.needs().size();
          case ANY -> succeeded > 0;
        };
    return runs
        ? Optional.empty()
        : Optional.of("nothing came from " + String.join(" or ", node.needs()));
  }

  private static Optional<StageRecord> stageOf(NightRecord record, String name) {
    return record.stages().stream().filter(stage -> stage.name().equals(name)).findFirst();
  }

  private static StageRecord skipped(StageGraph.Node node, String reason) {
    return new StageRecord(node.name(), "skipped", 0, 0, null, reason, Map.of());
  }

  // ---- limits

  private Optional<String> limitReached(NightRecord record, Instant started) {
    NightPlan.Limits limits = plan.limits();
    Expense counted = spent(record).less(record.before());
    if (stopRequested()) {
      return Optional.of(STOPPED);
    }
    if (limits.window() != null && timeLeftInWindow(started).compareTo(Duration.ZERO) <= 0) {
      return Optional.of("the time window of " + spell(limits.window()) + " is over");
    }
    if (limits.deviceMinutes() != null && counted.deviceSeconds() >= 60 * limits.deviceMinutes()) {
      return Optional.of("the limit of " + limits.deviceMinutes() + " device minutes is reached");
    }
    if (limits.tokens() != null && counted.tokens() >= limits.tokens()) {
      return Optional.of("the limit of " + limits.tokens() + " tokens is reached");
    }
    if (limits.money() != null && counted.money() >= limits.money()) {
      return Optional.of("the limit of " + limits.money() + " (money) is reached");
    }
    return Optional.empty();
  }

  /** By all attempts at all stages so far. */
  private Expense spent(NightRecord record) {
    Allowance.Spent spent =
        graph.stages().stream()
            .map(node -> Allowance.spent(home, record.run(), node.name()))
            .reduce(Allowance.Spent.NOTHING, Allowance.Spent::plus);
    return new Expense(
        record.deviceSeconds(),
        spent.tokens(),
        spent.money(plan.prices()) + record.deviceSeconds() / 3600 * plan.deviceHour());
  }

  private Duration timeLeft(NightRecord record, Instant started) {
    Duration left = timeLeftInWindow(started);
    Double minutes = plan.limits().deviceMinutes();
    if (minutes != null) {
      double counted = record.deviceSeconds() - record.before().deviceSeconds();
      Duration device = Duration.ofMillis(Math.round(Math.max(0, 60 * minutes - counted) * 1e3));
      left = device.compareTo(left) < 0 ? device : left;
    }
    return left;
  }

  private Duration timeLeftInWindow(Instant started) {
    Duration window = plan.limits().window();
    return window == null ? FOREVER : window.minus(Duration.between(started, clock.instant()));
  }

  // ---- the end

  private NightRecord endAtLimit(NightRecord record, String reason) {
    if (reason.equals(STOPPED)) {
      return end(record, ExitCode.TEMPORARY.code(), reason);
    }
    NightRecord ended =
        record.endedAtLimit(
            clock.instant(), ExitCode.TEMPORARY.code(), verdict(record).orElse(null), reason);
    ended.write(home);
    return ended;
  }

  private NightRecord end(NightRecord record, int code, String reason) {
    NightRecord ended = record.ended(clock.instant(), code, verdict(record).orElse(null), reason);
    ended.write(home);
    return ended;
  }

  private static Optional<String> verdict(NightRecord record) {
    return stageOf(record, "evaluate")
        .map(stage -> stage.figures().get("verdict"))
        .map(String::valueOf);
  }

  private static String conclusion(NightRecord record) {
    Optional<StageRecord> stuck =
        record.stages().stream()
            .filter(stage -> stage.exit() == ExitCode.NOTHING.code())
            .findFirst();
    Optional<StageRecord> promoted =
        stageOf(record, "promote").filter(stage -> stage.outcome().equals("committed"));
    if (promoted.isPresent()) {
      return "promoted";
    }
    boolean idle =
        record.stages().stream()
            .filter(StageRecord::succeeded)
            .allMatch(stage -> Set.of("unchanged", "already_committed").contains(stage.outcome()));
    if (idle) {
      return "nothing new since the last night";
    }
    return "nothing was worth promoting tonight"
        + stuck.map(stage -> ": " + stage.name() + ": " + stage.reason()).orElse("");
  }

  private static JsonNode document(String output) {
    try {
      JsonNode document = Jsons.mapper().readTree(output);
      return document == null ? Jsons.mapper().createObjectNode() : document;
    } catch (JsonProcessingException e) {
      return Jsons.mapper().createObjectNode().put("reason", "its output is not JSON");
    }
  }

  private static @Nullable String text(JsonNode document, String field) {
    return document.hasNonNull(field) ? document.get(field).asText() : null;
  }

  private static Map<String, Object> figures(JsonNode document) {
    return document.isObject()
        ? Jsons.mapper().convertValue(document, new TypeReference<TreeMap<String, Object>>() {})
        : Map.of();
  }

  static String spell(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds < 120) {
      return seconds + " s";
    }
    return seconds < 7200 ? seconds / 60 + " min" : seconds / 3600 + " h";
  }
}
