package io.knack.evaluator.promote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.cli.Console;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.measure.Memories;
import io.knack.practice.route.ServingManifests;
import io.knack.tracking.ModelVersion;
import io.knack.tracking.RunTracker;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
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
  private final RunTracker tracker;
  private final Clock clock;
  private final Console console;
  private final Journal journal;
  private final Runnable beforeEachStep;
  private final List<Replica> replicas;

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
    this.tracker = tracker;
    this.clock = clock;
    this.console = console;
    this.journal = new Journal(home);
    this.beforeEachStep = beforeEachStep;
    String key = System.getenv(plan.keyVariable());
    this.replicas = plan.replicas().stream().map(a -> new Replica(a, key, plan.timeout())).toList();
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
    handOver(wish);
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
            featureSpacePath(wish.manifest()),
            wish.manifest().entries());
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

  private void handOver(Wish wish) throws IOException {
    for (AdapterRef ref : adapters(wish.manifest())) {
      Path target = serving.resolve(ref.path());
      if (Files.isDirectory(target)) {
        continue; // The name carries the digest, and lint has compared it.
      }
      Path source = wish.adapters().get(ref.name());
      if (source == null) {
        throw new ContractException("adapter " + ref.name() + " is missing at " + target);
      }
      step();
      Path beside = beside(target);
      copyTree(source, beside);
      writeCard(beside, ref);
      publish(beside, target);
    }
    if (wish.featureSpace() != null) {
      Path target = serving.resolve(featureSpacePath(wish.manifest()));
      if (!Files.exists(target)) {
        step();
        Path beside = beside(target);
        copyTree(wish.featureSpace(), beside);
        publish(beside, target);
      }
    }
  }

  private static String featureSpacePath(Manifest manifest) {
    return "feature-spaces/" + manifest.featureSpaceDigest().replaceAll("[^A-Za-z0-9._-]", "-");
  }

  private static Path beside(Path target) {
    return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
  }

  private static void copyTree(Path from, Path to) throws IOException {
    Files.createDirectories(Objects.requireNonNull(to.getParent()));
    List<Path> copied = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path file : walk.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
          copied.add(target);
        }
      }
    }
    for (Path file : copied) {
      DurableFiles.sync(file);
    }
  }

  /** The card, with what llama.cpp needs. */
  private static void writeCard(Path directory, AdapterRef ref) throws IOException {
    Path file = directory.resolve(io.knack.contracts.AdapterCard.FILE);
    JsonNode tree =
        Files.exists(file)
            ? Jsons.mapper().readTree(Files.readString(file))
            : Jsons.mapper().createObjectNode();
    ObjectNode card =
        tree instanceof ObjectNode object ? object : Jsons.mapper().createObjectNode();
    card.put("serving_name", ref.name());
    card.put("digest", ref.digest());
    card.set("llama_cpp", Jsons.mapper().valueToTree(AdapterLint.llamaCpp(directory)));
    DurableFiles.replace(
        file, Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(card) + "\n");
  }

  private void publish(Path beside, Path target) throws IOException {
    step();
    try {
      Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new TemporaryException(serving + " cannot rename atomically", e);
    } catch (FileSystemException e) {
      if (!Files.exists(target)) {
        throw e;
      }
      DurableFiles.deleteTree(beside); // Another promoter handed over the same name and content.
    }
    DurableFiles.syncDirectory(Objects.requireNonNull(target.getParent()));
  }

  // ---- replicas

  /** Loads what a manifest names on every replica; all replicas are tried before it gives up. */
  private void load(Manifest manifest) throws InterruptedException {
    List<AdapterRef> wanted = adapters(manifest);
    Map<String, String> states = new LinkedHashMap<>();
    boolean complete = true;
    for (Replica replica : replicas) {
      step();
      List<String> problems = new ArrayList<>();
      Set<String> there = new TreeSet<>();
      try {
        there.addAll(replica.models());
        for (AdapterRef ref : wanted) {
          if (!there.contains(ref.name())) {
            try {
              replica.load(ref.name(), servedPath(ref));
            } catch (IOException e) {
              problems.add(ref.name() + ": " + e.getMessage());
            }
          }
        }
        there = replica.models();
      } catch (IOException e) {
        problems.add(String.valueOf(e.getMessage() == null ? e : e.getMessage()));
      }
      Set<String> seen = there;
      List<String> missing =
          wanted.stream().map(AdapterRef::name).filter(name -> !seen.contains(name)).toList();
      complete &= missing.isEmpty() && problems.isEmpty();
      states.put(
          replica.address(),
          "has "
              + (wanted.size() - missing.size())
              + " of "
              + wanted.size()
              + (missing.isEmpty() ? "" : ", lacks " + String.join(", ", missing))
              + (problems.isEmpty() ? "" : " (" + String.join("; ", problems) + ")"));
    }
    if (!complete) {
      throw new TemporaryException(
          "not every replica has the adapters; run it again to complete it. Manifest in force: "
              + live().map(m -> String.valueOf(m.number())).orElse("none")
              + describe(states));
    }
  }

  private static String describe(Map<String, String> states) {
    StringBuilder text = new StringBuilder();
    states.forEach(
        (replica, state) -> text.append("\n  ").append(replica).append(' ').append(state));
    return text.toString();
  }

  private String servedPath(AdapterRef ref) {
    return plan.servedPath() == null
        ? serving.resolve(ref.path()).toAbsolutePath().normalize().toString()
        : plan.servedPath().replaceAll("/+$", "") + "/" + ref.name();
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
      moveAliases(manifest);
      step();
      journal.append(line(run, Journal.Step.ALIASES_MOVED, number, source, null));
    }
    List<String> notes = plan.unload() ? unload(manifest) : List.of();
    if (!journal.reached(number, Journal.Step.DONE)) {
      step();
      journal.append(line(run, Journal.Step.DONE, number, source, null));
    }
    return notes;
  }

  /** Previous takes champion's place, champion moves to this manifest, challenger goes. */
  private void moveAliases(Manifest manifest) {
    String model = "knack-" + manifest.baseModel().replaceAll("[/:]", "-");
    ModelVersion version = version(model, manifest.number());
    tracker.registerModel(
        version,
        manifestFile(manifest.number()).toAbsolutePath().toUri().toString(),
        null,
        Map.of("knack.manifest", String.valueOf(manifest.number())));
    for (AdapterRef ref : adapters(manifest)) {
      ModelVersion adapter =
          new ModelVersion(model + "-" + ref.name().replaceAll("-[0-9a-f]{12}$", ""), ref.digest());
      tracker.registerModel(
          adapter,
          serving.resolve(ref.path()).toAbsolutePath().toUri().toString(),
          null,
          Map.of("knack.adapter", ref.name(), "validation_status", "passed"));
      tracker.setAlias(adapter, "champion");
    }
    tracker.setAlias(version, "challenger");
    Long previous = manifest.previous();
    if (previous != null) {
      tracker.setAlias(version(model, previous), "previous");
    }
    tracker.setAlias(version, "champion");
    tracker.deleteAlias(model, "challenger");
  }

  private static ModelVersion version(String model, long number) {
    return new ModelVersion(model, String.format(Locale.ROOT, "v%06d", number));
  }

  /** Adapters of earlier manifests that this one does not name. A failure is told, not fatal. */
  private List<String> unload(Manifest manifest) throws InterruptedException {
    if (replicas.isEmpty()) {
      return List.of();
    }
    Set<String> keep = new TreeSet<>();
    adapters(manifest).forEach(ref -> keep.add(ref.name()));
    Set<String> old = new TreeSet<>();
    for (Manifest earlier : history()) {
      adapters(earlier).forEach(ref -> old.add(ref.name()));
    }
    old.removeAll(keep);
    List<String> notes = new ArrayList<>();
    for (Replica replica : replicas) {
      try {
        for (String name : replica.models()) {
          if (old.contains(name)) {
            step();
            replica.unload(name);
          }
        }
      } catch (IOException e) {
        String note = replica.address() + " still holds old adapters: " + e.getMessage();
        notes.add(note);
        console.say("promote: " + note);
      }
    }
    return notes;
  }

  /** Every manifest there was, oldest first. */
  public List<Manifest> history() {
    List<Manifest> all = new ArrayList<>();
    long last = live().map(Manifest::number).orElse(0L);
    ServingManifests manifests = new ServingManifests(home);
    for (long number = 1; number <= last; number++) {
      if (Files.exists(manifestFile(number))) {
        all.add(manifests.numbered(number));
      }
    }
    return all;
  }

  private static List<AdapterRef> adapters(Manifest manifest) {
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
    return serving.resolve("manifests").resolve(String.format(Locale.ROOT, "v%06d.json", number));
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
