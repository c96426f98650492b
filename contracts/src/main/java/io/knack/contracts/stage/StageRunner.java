package io.knack.contracts.stage;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.KnackVersion;
import io.knack.contracts.cli.Console;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.ObjectStreamException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs one stage by the stage protocol of {@code docs/architecture.md}: reads the plan, pins and
 * verifies inputs, recognises work already committed, stages, runs, commits, records the run.
 *
 * <p>Two runs are the same when stage, plan, what the plan names outside, code version and inputs
 * are the same; an artifact of the stage's own kind among its inputs (yesterday's clusters, for
 * {@code mine}) does not count, or the second of two equal runs would never be one.
 */
public final class StageRunner {
  private static final DateTimeFormatter RUN_ID =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  private final Path home;
  private final ArtifactStore store;
  private final Clock clock;
  private final Console console;
  private final StageObserver observer;

  /** Nobody watches. */
  public StageRunner(Path home, Clock clock, Console console) {
    this(home, clock, console, StageObserver.none());
  }

  public StageRunner(Path home, Clock clock, Console console, StageObserver observer) {
    this.home = home.toAbsolutePath().normalize();
    this.store = ArtifactStore.open(home);
    this.clock = clock;
    this.console = console;
    this.observer = observer;
  }

  /** What standard output carries. */
  public enum OutputFormat {
    TEXT,
    JSON
  }

  /**
   * How a stage ended.
   *
   * @param artifact what was handed on, now or by an earlier run; null when there is nothing
   * @param outcome {@code committed}, {@code already_committed}, {@code unchanged} or {@code
   *     nothing}
   */
  public record Ending(
      RunId run,
      ExitCode exit,
      String outcome,
      @Nullable ArtifactRef artifact,
      @Nullable String reason,
      SortedMap<String, Object> figures) {}

  /**
   * Runs a stage from the command line and prints how it ended.
   *
   * @param planFile null for the plan's defaults
   * @param overrides {@code path=value} each
   * @param run null for a new run id
   * @return the process's exit code
   */
  public static <P extends Record> int run(
      Stage<P> stage,
      Path home,
      @Nullable Path planFile,
      List<String> overrides,
      @Nullable String run,
      OutputFormat format) {
    P plan = Plans.read(stage.planType(), planFile, overrides);
    Clock clock = Clock.systemUTC();
    RunId runId = run == null ? newRunId(clock) : checkedRunId(run);
    try (OrderlyStop stop = new OrderlyStop()) {
      Ending ending =
          new StageRunner(home, clock, Terminal.standard(), StageObserver.installed())
              .run(stage, plan, runId, stop);
      print(stage.name(), ending, format, System.out);
      return ending.exit().code();
    }
  }

  /** Runs a stage in this process; failures are thrown. */
  public <P extends Record> Ending run(Stage<P> stage, P plan, RunId run) {
    try (OrderlyStop stop = new OrderlyStop()) {
      return run(stage, plan, run, stop);
    }
  }

  public static RunId newRunId(Clock clock) {
    return new RunId(
        RUN_ID.format(clock.instant()) + "-" + UUID.randomUUID().toString().substring(0, 4));
  }

  /** A run id names a directory: nothing that could leave it. */
  public static RunId checkedRunId(String run) {
    if (!run.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")) {
      throw new PlanException(
          "--run "
              + run
              + ": expected letters, digits, '.', '_' and '-', at most 100, the first a letter or"
              + " digit");
    }
    return new RunId(run);
  }

  @SuppressWarnings("try") // the lock is held by its scope
  private <P extends Record> Ending run(Stage<P> stage, P plan, RunId run, OrderlyStop stop) {
    String planJson = Plans.canonicalJson(plan);
    String planDigest = Digests.sha256(planJson + "\n" + fingerprint(stage, plan));
    try (StageLock lock = StageLock.take(home, stage.name())) {
      Optional<RunRecord> earlier =
          RunRecord.read(home, run, stage.name()).filter(record -> record.plan().equals(planJson));
      StageInputs inputs =
          earlier.isPresent()
              ? again(stage, plan, earlier.get().inputs())
              : pin(stage.name(), stage.inputs(plan));
      List<ArtifactRef> refs = refs(inputs);
      RunRecord record =
          new RunRecord(
              run, stage.name(), planJson, refs, now(), null, null, null, null, new TreeMap<>());
      StageObserver.Watch watch =
          observer.begin(new StageObserver.Beginning(home, run, stage.name(), planJson, refs));
      Optional<Artifact> same = sameWork(stage, planDigest, refs);
      if (same.isPresent()) {
        Ending ending =
            new Ending(
                run,
                ExitCode.OK,
                "already_committed",
                same.get().ref(),
                "already committed for these inputs",
                same.get().card().figures());
        end(record, ending);
        watch.ended(ending, Optional.empty());
        return ending;
      }
      record.write(home);
      Allowance allowance = Allowance.of(home, run, stage.name());
      try (allowance) {
        Ending ending =
            execute(stage, plan, planJson, planDigest, inputs, refs, run, stop, allowance);
        end(record, ending);
        watch.ended(ending, committed(ending));
        return ending;
      } catch (Throwable e) {
        try {
          ExitCode code = ExitCode.of(e);
          String reason =
              e instanceof KnackException ? String.valueOf(e.getMessage()) : e.toString();
          record.ended(now(), code, null, reason, allowance.figures()).write(home);
          watch.failed(code, reason);
        } catch (RuntimeException unsaid) {
          e.addSuppressed(unsaid);
        }
        throw e;
      }
    } catch (IOException e) {
      throw new TemporaryException(stage.name() + ": " + e.getMessage(), e);
    }
  }

  private <P extends Record> Ending execute(
      Stage<P> stage,
      P plan,
      String planJson,
      String planDigest,
      StageInputs inputs,
      List<ArtifactRef> refs,
      RunId run,
      OrderlyStop stop,
      Allowance allowance)
      throws IOException {
    Path output = store.stage(stage.produces(), run);
    Path cache = home.resolve("cache").resolve(stage.name());
    Files.createDirectories(cache);
    StageResult result;
    try {
      result =
          stage.run(
              plan, inputs, new Context(home, run, output, cache, clock, console, stop, allowance));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      store.discard(output);
      throw new TemporaryException(stage.name() + " was interrupted", e);
    } catch (Throwable e) {
      // Also what Spark throws without declaring it, and errors: no failure leaves its output.
      try {
        store.discard(output);
      } catch (TemporaryException left) {
        e.addSuppressed(left);
      }
      if (stop.requested() && !(e instanceof KnackException)) {
        // Engines hear the signal too, and stop under the stage: Spark closes its context.
        throw new TemporaryException(
            stage.name()
                + " was stopped in the midst of its work ("
                + String.valueOf(e.getMessage()).lines().findFirst().orElse("")
                + "); run it again",
            e);
      }
      Optional<IOException> refusal = refusal(e);
      if (refusal.isPresent()) {
        throw new TemporaryException(
            stage.name()
                + " could not read or write: "
                + TemporaryException.words(refusal.get())
                + "; try again when that is mended",
            refusal.get());
      }
      throw e;
    }
    if (result instanceof StageResult.Produced produced) {
      ArtifactCard card =
          new ArtifactCard(
              stage.produces(),
              1,
              stage.name(),
              KnackVersion.CURRENT,
              run,
              now(),
              planDigest,
              planJson,
              refs,
              List.of(),
              produced.contentDigest(),
              produced.seed(),
              List.of(),
              produced.figures(),
              runtime(),
              null);
      Artifact artifact = store.commit(output, card);
      return new Ending(
          run,
          ExitCode.OK,
          "committed",
          artifact.ref(),
          null,
          with(allowance, artifact.card().figures()));
    }
    store.discard(output);
    if (result instanceof StageResult.Unchanged unchanged) {
      return new Ending(
          run,
          ExitCode.OK,
          "unchanged",
          null,
          unchanged.reason(),
          with(allowance, unchanged.figures()));
    }
    StageResult.Nothing nothing = (StageResult.Nothing) result;
    return new Ending(
        run, ExitCode.NOTHING, "nothing", null, nothing.reason(), allowance.figures());
  }

  /** What a disk or a network refused below an engine's own exceptions. */
  private static Optional<IOException> refusal(Throwable failure) {
    if (failure instanceof KnackException || failure instanceof IOException) {
      return Optional.empty();
    }
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof IOException refused
          && !(cause instanceof JsonProcessingException)
          && !(cause instanceof ObjectStreamException)) {
        return Optional.of(refused);
      }
    }
    return Optional.empty();
  }

  private static SortedMap<String, Object> with(
      Allowance allowance, SortedMap<String, Object> figures) {
    SortedMap<String, Object> all = allowance.figures();
    all.putAll(figures);
    return all;
  }

  /** What this very run handed on. */
  private Optional<Artifact> committed(Ending ending) {
    return ending.outcome().equals("committed") && ending.artifact() != null
        ? store.current(ending.artifact())
        : Optional.empty();
  }

  private void end(RunRecord record, Ending ending) {
    record
        .ended(now(), ending.exit(), ending.artifact(), ending.reason(), ending.figures())
        .write(home);
  }

  // ---- inputs

  private StageInputs pin(String stage, List<StageInput> wanted) {
    List<ArtifactRef> refs = new ArrayList<>();
    for (StageInput input : wanted) {
      List<Artifact> chain = store.chain(input.kind());
      switch (input.need()) {
        case LATEST, CHAIN -> {
          if (chain.isEmpty()) {
            throw new ContractException(
                stage
                    + " needs "
                    + input.kind().wire()
                    + ", found none in "
                    + home
                    + "; run the stage that makes it first ('./knack "
                    + maker(input.kind())
                    + "')");
          }
        }
        case LATEST_IF_ANY, CHAIN_IF_ANY -> {}
      }
      boolean latestOnly =
          switch (input.need()) {
            case LATEST, LATEST_IF_ANY -> true;
            case CHAIN, CHAIN_IF_ANY -> false;
          };
      (latestOnly && !chain.isEmpty() ? chain.subList(chain.size() - 1, chain.size()) : chain)
          .forEach(artifact -> refs.add(artifact.ref()));
    }
    return resolve(refs);
  }

  /**
   * What an earlier attempt of this run read, but for what the stage itself makes: that is read as
   * it is now. The earlier attempt may have committed and died before it could say so, and an
   * import that did not see it would add everything once more.
   */
  private <P extends Record> StageInputs again(Stage<P> stage, P plan, List<ArtifactRef> earlier) {
    List<ArtifactRef> refs = new ArrayList<>(without(stage.produces(), earlier));
    refs(pin(
            stage.name(),
            stage.inputs(plan).stream().filter(input -> input.kind() == stage.produces()).toList()))
        .forEach(refs::add);
    return resolve(refs);
  }

  private static String maker(ArtifactKind kind) {
    return switch (kind) {
      case INTERACTIONS -> "import";
      case CLUSTERS -> "mine";
      case CURRICULUM -> "curate";
      case ADAPTERS -> "train";
      case RULES -> "reflect";
      case EPISODES -> "remember";
      case EVALUATION -> "evaluate";
    };
  }

  private StageInputs resolve(List<ArtifactRef> refs) {
    Map<ArtifactKind, List<Artifact>> byKind = new EnumMap<>(ArtifactKind.class);
    for (ArtifactRef ref : refs) {
      byKind.computeIfAbsent(ref.kind(), kind -> new ArrayList<>()).add(store.resolve(ref));
    }
    return new StageInputs(byKind);
  }

  private static List<ArtifactRef> refs(StageInputs inputs) {
    return inputs.artifacts().values().stream().flatMap(List::stream).map(Artifact::ref).toList();
  }

  private <P extends Record> Optional<Artifact> sameWork(
      Stage<P> stage, String planDigest, List<ArtifactRef> inputs) {
    List<ArtifactRef> others = without(stage.produces(), inputs);
    if (others.isEmpty()) {
      return Optional.empty(); // all it reads lies outside: only the stage can tell
    }
    return store
        .latest(stage.produces())
        .filter(artifact -> artifact.card().producer().equals(stage.name()))
        .filter(artifact -> artifact.card().codeVersion().equals(KnackVersion.CURRENT))
        .filter(artifact -> artifact.card().planDigest().equals(planDigest))
        .filter(artifact -> without(stage.produces(), artifact.card().inputs()).equals(others));
  }

  private static List<ArtifactRef> without(ArtifactKind kind, List<ArtifactRef> refs) {
    try (Stream<ArtifactRef> stream = refs.stream()) {
      return stream.filter(ref -> ref.kind() != kind).toList();
    }
  }

  private static <P extends Record> String fingerprint(Stage<P> stage, P plan) {
    try {
      return stage.fingerprint(plan);
    } catch (IOException e) {
      throw new TemporaryException(stage.name() + " cannot read what its plan names: " + e, e);
    }
  }

  // ---- small things

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MICROS);
  }

  private static Map<String, String> runtime() {
    return new TreeMap<>(
        Map.of(
            "java", System.getProperty("java.version"),
            "os", System.getProperty("os.name") + " " + System.getProperty("os.arch"),
            "processors", String.valueOf(Runtime.getRuntime().availableProcessors())));
  }

  private static void print(String stage, Ending ending, OutputFormat format, PrintStream out) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("stage", stage);
    document.put("run", ending.run().value());
    document.put("outcome", ending.outcome());
    if (ending.artifact() != null) {
      document.put("artifact", ending.artifact().toString());
    }
    if (ending.reason() != null) {
      document.put("reason", ending.reason());
    }
    document.putAll(ending.figures());
    switch (format) {
      case JSON -> {
        try {
          out.println(Jsons.mapper().writeValueAsString(document));
        } catch (JsonProcessingException e) {
          throw new IllegalStateException(e);
        }
      }
      case TEXT -> document.forEach((key, value) -> out.println(key + ": " + value));
    }
    out.flush();
  }

  private record Context(
      Path home,
      RunId run,
      Path output,
      Path cache,
      Clock clock,
      Console console,
      OrderlyStop stop,
      Allowance allowance)
      implements StageContext {
    @Override
    public boolean stopRequested() {
      return stop.requested();
    }
  }
}
