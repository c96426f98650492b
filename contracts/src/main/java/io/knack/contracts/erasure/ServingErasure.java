package io.knack.contracts.erasure;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.AdapterCard;
import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.Entry;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Takes a person's memory out of serving: a new manifest first, so that serving stops using it;
 * then the same entries out of every earlier manifest, so that no rollback brings them back; then
 * the adapters' files.
 */
final class ServingErasure {
  private final Path serving;
  private final ServingManifests manifests;
  private final Traces traces;
  private final String receipt;
  private final Runnable beforeEachStep;

  ServingErasure(Path home, Traces traces, String receipt, Runnable beforeEachStep) {
    this.serving = home.resolve("serving");
    this.manifests = new ServingManifests(home);
    this.traces = traces;
    this.receipt = receipt;
    this.beforeEachStep = beforeEachStep;
  }

  void run(Instant at) throws IOException {
    List<Path> files = List.copyOf(manifests.files().values());
    if (!files.isEmpty()) {
      Manifest live = ServingManifests.read(files.get(files.size() - 1));
      List<Entry> kept = kept(live);
      if (kept.size() < live.entries().size()) {
        create(
            new Manifest(
                live.number() + 1,
                live.number(),
                at,
                title(receipt) + ", " + (live.entries().size() - kept.size()) + " entries removed",
                live.baseModel(),
                live.baseRevision(),
                live.featureSpaceDigest(),
                live.featureSpace(),
                kept,
                live.encoder()));
      }
      for (Path file : files) {
        redact(file);
      }
    }
    removeAdapters();
  }

  /** How the reason of an erasure's manifest begins. */
  private static String title(String receipt) {
    return "erasure " + receipt;
  }

  /** The manifest that an erasure wrote. */
  static Optional<Manifest> manifestOf(Path home, String receipt) {
    return new ServingManifests(home)
        .files().values().stream()
            .map(ServingManifests::read)
            .filter(manifest -> manifest.reason().startsWith(title(receipt)))
            .findFirst();
  }

  List<Entry> kept(Manifest manifest) {
    return manifest.entries().stream().filter(entry -> !learntFromErased(entry)).toList();
  }

  private boolean learntFromErased(Entry entry) {
    boolean adapter = false;
    if (entry.adapter() != null) {
      String digest = entry.adapter().digest();
      adapter =
          traces.adapters().containsKey(digest)
              || (traces.retrain().contains(entry.clusterId().value())
                  && !traces.keptAdapters().contains(digest));
    }
    return adapter
        || entry.rules().stream().anyMatch(rule -> traces.rules().contains(rule.id().value()))
        || entry.episodes().stream()
            .anyMatch(
                episode ->
                    traces.episodes().contains(episode.id().value())
                        || traces.texts().contains(episode.problem()));
  }

  private void redact(Path file) throws IOException {
    Manifest manifest = ServingManifests.read(file);
    List<Entry> kept = kept(manifest);
    if (kept.size() == manifest.entries().size()) {
      return;
    }
    beforeEachStep.run();
    DurableFiles.replace(
        file,
        json(
            new Manifest(
                manifest.number(),
                manifest.previous(),
                manifest.createdAt(),
                manifest.reason() + "; redacted by " + title(receipt),
                manifest.baseModel(),
                manifest.baseRevision(),
                manifest.featureSpaceDigest(),
                manifest.featureSpace(),
                kept,
                manifest.encoder())));
  }

  private void create(Manifest manifest) throws IOException {
    beforeEachStep.run();
    try {
      DurableFiles.createNew(manifests.file(manifest.number()), json(manifest));
    } catch (FileAlreadyExistsException e) {
      throw new TemporaryException(
          "manifest " + manifest.number() + " was promoted at this moment; run forget again", e);
    }
  }

  private void removeAdapters() throws IOException {
    Path directory = serving.resolve("adapters");
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<Path> adapters;
    try (Stream<Path> paths = Files.list(directory)) {
      adapters = paths.filter(Files::isDirectory).sorted().toList();
    }
    for (Path adapter : adapters) {
      boolean unfinished = adapter.getFileName().toString().startsWith(".");
      if (unfinished || learntFromErased(adapter)) {
        beforeEachStep.run();
        // Hidden first: a half-deleted adapter must not be loaded.
        Path hidden = adapter;
        if (!unfinished) {
          hidden = adapter.resolveSibling("." + adapter.getFileName() + ".erased");
          Files.move(adapter, hidden);
        }
        DurableFiles.deleteTree(hidden);
      }
    }
    DurableFiles.syncDirectory(directory);
  }

  private boolean learntFromErased(Path adapter) {
    return Files.exists(adapter.resolve("adapter_model.safetensors"))
        && Files.exists(adapter.resolve("adapter_config.json"))
        && traces.adapters().containsKey(AdapterCard.weightsDigest(adapter));
  }

  static String json(Manifest manifest) throws JsonProcessingException {
    return Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(manifest) + "\n";
  }
}
