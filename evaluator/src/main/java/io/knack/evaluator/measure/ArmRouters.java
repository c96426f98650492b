package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.route.Router;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Everything that was learnt in a workspace, one router for each arm, as if that arm had been
 * promoted for every cluster that has it: what the study asks with. Triggers are fitted as an
 * evaluation fits them.
 */
public final class ArmRouters {
  private final Sides sides;
  private final Memories memories;
  private final Map<ClusterId, Scope.Fitted> triggers;

  /** Whether triggers are heeded. */
  public enum Firing {
    /** As it would be served. */
    TRIGGERED,
    /** The nearest memory is applied to every problem. */
    ALWAYS
  }

  private ArmRouters(Sides sides, Memories memories, Map<ClusterId, Scope.Fitted> triggers) {
    this.sides = sides;
    this.memories = memories;
    this.triggers = triggers;
  }

  /**
   * @param inputs a curriculum and clusters; adapters, rules and episodes where there are any
   * @param encoders where the feature space finds its sentence encoder, if it has one
   */
  public static ArmRouters read(StageInputs inputs, EvaluatePlan plan, Encoders encoders)
      throws IOException {
    Artifact clusters = inputs.required(ArtifactKind.CLUSTERS);
    FeatureSpace space = FeatureSpace.load(EvaluateStage.featureSpaceFile(clusters), encoders);
    Map<ClusterId, Cluster> byId =
        Tables.CLUSTERS.readAllFrom(clusters.directory()).stream()
            .collect(Collectors.toMap(Cluster::clusterId, c -> c, (a, b) -> a));
    List<Example> known = new ArrayList<>();
    List<Example> outside = new ArrayList<>();
    for (Example example :
        Tables.EXAMPLES.readAllFrom(inputs.required(ArtifactKind.CURRICULUM).directory())) {
      if (example.split() == Split.TRAIN || example.split() == Split.VALIDATION) {
        known.add(example);
      } else if (example.split() == Split.ANCHOR) {
        outside.add(example);
      }
    }
    Memories memories = Memories.read(inputs, plan.carrying(), space);
    Sides sides =
        new Sides(
            space,
            plan.solver().form(),
            plan.servedName(),
            plan.baseRevision(),
            plan.carrying().retrievalMicros(),
            Set.of());
    List<ClusterId> competing =
        memories.all().stream()
            .map(Memory::clusterId)
            .filter(byId::containsKey)
            .distinct()
            .toList();
    return new ArmRouters(
        sides,
        memories,
        new Scope(space, byId, known, outside, Map.of()).fit(competing, plan.triggers()));
  }

  /** PEFT directories by the names that routes give. */
  public Map<String, Path> adapterDirectories() {
    return memories.adapterDirectories();
  }

  /** Clusters that an arm has a memory for. */
  public long clusters(String arm) {
    Set<ClusterId> having = new HashSet<>();
    memories.all().stream()
        .filter(memory -> memory.arm().equals(arm))
        .forEach(memory -> having.add(memory.clusterId()));
    return having.size();
  }

  /** One entry for each cluster that has any memory: for counting when triggers fire. */
  public Router triggers() {
    Set<ClusterId> seen = new HashSet<>();
    List<Manifest.Entry> entries = new ArrayList<>();
    for (Memory memory : memories.all()) {
      Scope.Fitted fitted = triggers.get(memory.clusterId());
      if (fitted != null && seen.add(memory.clusterId())) {
        entries.add(memory.entry(fitted.trigger(), 0));
      }
    }
    return sides.router(entries);
  }

  /** The router of one arm. */
  public Router router(String arm, Firing firing) {
    List<Manifest.Entry> entries = new ArrayList<>();
    for (Memory memory : memories.all()) {
      Scope.Fitted fitted = triggers.get(memory.clusterId());
      if (memory.arm().equals(arm) && fitted != null) {
        Manifest.Trigger trigger = fitted.trigger();
        entries.add(
            memory.entry(
                firing == Firing.TRIGGERED
                    ? trigger
                    : new Manifest.Trigger(0, 0, trigger.centroid(), List.of()),
                0));
      }
    }
    return sides.router(entries);
  }
}
