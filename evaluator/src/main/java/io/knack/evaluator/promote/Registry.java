package io.knack.evaluator.promote;

import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.tracking.ModelVersion;
import io.knack.tracking.RunTracker;
import java.nio.file.Path;
import java.util.Map;

/** Versions and aliases in the model registry; every call may be repeated. */
final class Registry {
  private final RunTracker tracker;
  private final Path serving;

  Registry(RunTracker tracker, Path serving) {
    this.tracker = tracker;
    this.serving = serving;
  }

  /** Previous takes champion's place, champion moves to this manifest, challenger goes. */
  void promoted(Manifest manifest, Path file) {
    String model = "knack-" + manifest.baseModel().replaceAll("[/:]", "-");
    ModelVersion version = version(model, manifest.number());
    tracker.registerModel(
        version,
        file.toAbsolutePath().toUri().toString(),
        null,
        Map.of("knack.manifest", String.valueOf(manifest.number())));
    for (AdapterRef ref : Promotion.adapters(manifest)) {
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
    return new ModelVersion(model, Manifest.name(number));
  }
}
