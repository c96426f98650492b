package io.knack.evaluator.promote;

import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.cli.Console;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.evaluator.measure.Memories;
import io.knack.tracking.RunTracker;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a manifest live, so that a kill at any point leaves the old one or the new one in force.
 *
 * <p>The order: adapters and the feature space are handed over under names never used before; the
 * replicas load them, and say so under {@code /v1/models}; the journal notes the intent; the
 * manifest is created under the next number, which is the one moment at which serving changes; then
 * the aliases of the registry move, and adapters that nothing names any more are unloaded. Every
 * step may be repeated: a second run completes a first one that was cut off.
 */
public final class Promotion {
  private final Path home;
  private final Path serving;
  private final PromotePlan plan;
  private final Clock clock;
  private final Journal journal;
  private final Runnable beforeEachStep;
  private final HandOver handOver;
  private final Replicas replicas;
  private final Registry registry;

  public Promotion(Path home, PromotePlan plan, RunTracker tracker, Clock clock, Console console) {
    this(home, plan, tracker, clock, console, () -> {});
  }

  /** As the public one, with a hook that tests use to kill it before any step. */
  Promotion(
      Path home,
      PromotePlan plan,
      RunTracker tracker,
      Clock clock,
      Console console,
      Runnable beforeEachStep) {
    this.home = home;
    this.serving = home.resolve("serving");
    this.plan = plan;
    this.clock = clock;
    this.journal = new Journal(home);
    this.beforeEachStep = beforeEachStep;
    this.handOver = new HandOver(serving, beforeEachStep);
    this.replicas = new Replicas(serving, plan, console, beforeEachStep);
    this.registry = new Registry(tracker, serving);
  }

  /**
   * What shall be live.
   *
   * @param source names it for ever: an evaluation's reference, or {@code rollback:N@M}
   * @param adapters where the adapters' files are; empty when they were handed over before
   * @param featureSpace file or directory; null when it was handed over before
   */
  public record Wish(
      String run,
      String source,
      String reason,
      Manifest manifest,
      Map<String, Path> adapters,
      @Nullable Path featureSpace) {}

  /**
   * What became of it.
   *
   * @param fresh false when it was live before
   */
  public record Outcome(Manifest manifest, boolean fresh, List<String> notes) {}

  /** The live manifest; empty when nothing was ever promoted. */
  public Optional<Manifest> live() {
    return new ServingManifests(home).live();
  }

  /** Makes the wish come true, or says exactly how far it came. */
  public Outcome promote(Wish wish) throws IOException, InterruptedException {
    lint(wish);
    Optional<Manifest> live = live();
    Optional<Long> earlier = liveFor(wish.source());
    if (earlier.isPresent()) {
      long number = earlier.get();
      if (live.isPresent() && live.get().number() == number) {
        List<String> notes = complete(wish.run(), wish.source(), live.get());
        return new Outcome(live.get(), false, notes);
      }
      throw new ContractException(
          wish.source()
              + " was promoted as manifest "
              + number
              + " and has been replaced since; './knack rollback --to "
              + number
              + "' brings it back");
    }
    handOver.bring(wish);
    load(wish.manifest());
    long number = live.map(Manifest::number).orElse(0L) + 1;
    step();
    note(wish, Journal.Step.INTENDED, number, null);
    Manifest numbered =
        new Manifest(
            number,
            live.map(Manifest::number).orElse(null),
            clock.instant(),
            wish.reason(),
            wish.manifest().baseModel(),
            wish.manifest().baseRevision(),
            wish.manifest().featureSpaceDigest(),
            HandOver.featureSpacePath(wish.manifest()),
            wish.manifest().entries(),
            wish.manifest().encoder());
    step();
    create(wish, numbered);
    List<String> notes = complete(wish.run(), wish.source(), numbered);
    return new Outcome(numbered, true, notes);
  }

  /** After a kill: what the journal promised for the live manifest is done. */
  public List<String> reconcile(String run) throws IOException, InterruptedException {
    Optional<Manifest> live = live();
    if (live.isEmpty() || journal.reached(live.get().number(), Journal.Step.DONE)) {
      return List.of();
    }
    String source =
        journal.lines().stream()
            .filter(line -> line.manifest() == live.get().number())
            .map(Journal.Line::source)
            .reduce((first, second) -> second)
            .orElse("unknown");
    return complete(run, source, live.get());
  }

  // ---- before

  private void lint(Wish wish) {
    AdapterLint lint =
        new AdapterLint(plan.target(), wish.manifest().baseModel(), wish.manifest().baseRevision());
    List<String> problems = new ArrayList<>();
    for (AdapterRef ref : adapters(wish.manifest())) {
      Path directory = wish.adapters().get(ref.name());
      Path place = directory == null ? serving.resolve(ref.path()) : directory;
      if (!Files.isDirectory(place)) {
        problems.add("adapter " + ref.name() + " is missing at " + place);
        continue;
      }
      lint.problems(place).forEach(p -> problems.add("adapter " + ref.name() + " " + p));
      if (problems.isEmpty() && !Memories.digest(place).equals(ref.digest())) {
        problems.add("adapter " + ref.name() + " is not what the manifest was measured with");
      }
    }
    if (!problems.isEmpty()) {
      throw new ContractException(
          "nothing was promoted; serving is as it was:\n  " + String.join("\n  ", problems));
    }
  }

  /** The number under which a source went live; empty when it did not. */
  private Optional<Long> liveFor(String source) {
    ServingManifests manifests = new ServingManifests(home);
    return journal.lines().stream()
        .filter(line -> line.source().equals(source))
        .filter(line -> line.step() == Journal.Step.INTENDED || line.step() == Journal.Step.LIVE)
        .map(Journal.Line::manifest)
        .filter(number -> Files.exists(manifestFile(number)))
        .filter(number -> ours(manifests.numbered(number), source))
        .reduce((first, second) -> second);
  }

  /** A reason carries the source, so that a number that somebody else took is not mistaken. */
  private static boolean ours(Manifest manifest, String source) {
    return manifest.reason().contains(source);
  }

  private void load(Manifest manifest) throws InterruptedException {
    replicas.load(manifest, live().map(m -> String.valueOf(m.number())).orElse("none"));
  }

  // ---- the moment, and after

  private void create(Wish wish, Manifest numbered) throws IOException {
    try {
      DurableFiles.createNew(
          manifestFile(numbered.number()),
          Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(numbered) + "\n");
    } catch (FileAlreadyExistsException e) {
      note(wish, Journal.Step.LOST, numbered.number(), "another promoter was first");
      throw new TemporaryException(
          "another promoter has written manifest "
              + numbered.number()
              + " at this moment; what it promoted is live. Look at './knack status', then run this"
              + " again if it is still wanted",
          e);
    }
  }

  private List<String> complete(String run, String source, Manifest manifest)
      throws IOException, InterruptedException {
    long number = manifest.number();
    load(manifest);
    if (!journal.reached(number, Journal.Step.LIVE)) {
      step();
      journal.append(line(run, Journal.Step.LIVE, number, source, null));
    }
    if (!journal.reached(number, Journal.Step.ALIASES_MOVED)) {
      step();
      journal.append(line(run, Journal.Step.ALIASES_INTENDED, number, source, null));
      step();
      registry.promoted(manifest, manifestFile(number));
      step();
      journal.append(line(run, Journal.Step.ALIASES_MOVED, number, source, null));
    }
    List<String> notes = plan.unload() ? replicas.unload(manifest, history()) : List.of();
    if (!journal.reached(number, Journal.Step.DONE)) {
      step();
      journal.append(line(run, Journal.Step.DONE, number, source, null));
    }
    return notes;
  }

  /** Every manifest there was, oldest first. */
  public List<Manifest> history() {
    return new ServingManifests(home)
        .files().values().stream().map(ServingManifests::read).toList();
  }

  /** Every adapter once, however many entries share it. */
  static List<AdapterRef> adapters(Manifest manifest) {
    Set<AdapterRef> refs = new LinkedHashSet<>();
    manifest
        .entries()
        .forEach(
            entry -> {
              AdapterRef ref = entry.adapter();
              if (ref != null) {
                refs.add(ref);
              }
            });
    return List.copyOf(refs);
  }

  private Path manifestFile(long number) {
    return new ServingManifests(home).file(number);
  }

  private void note(Wish wish, Journal.Step step, long number, @Nullable String words) {
    journal.append(line(wish.run(), step, number, wish.source(), words));
  }

  private Journal.Line line(
      String run, Journal.Step step, long number, String source, @Nullable String words) {
    return new Journal.Line(clock.instant(), run, step, number, source, words);
  }

  private void step() {
    beforeEachStep.run();
  }
}
