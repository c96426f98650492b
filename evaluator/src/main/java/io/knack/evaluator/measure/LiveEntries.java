package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.Trigger;
import io.knack.contracts.Report.Refusal;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.store.ServingManifests;
import io.knack.practice.features.FeatureSpace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What earlier nights promoted. No entry goes without a word: those whose problems were seen
 * tonight are arms beside what was learnt tonight; those whose problems were not seen, or too few
 * to judge by, stay as they are; those that cannot be served any more are retired, with the reason.
 */
final class LiveEntries {
  private final @Nullable Manifest live;
  private final List<Memory> judged = new ArrayList<>();
  private final List<Manifest.Entry> unseen = new ArrayList<>();
  private final List<Refusal> retired = new ArrayList<>();
  private final Map<String, Path> adapters = new TreeMap<>();
  private final Map<ClusterId, List<String>> keys = new HashMap<>();

  private LiveEntries(@Nullable Manifest live) {
    this.live = live;
  }

  /**
   * @param seen whether enough of a tenant's problems of a cluster are among tonight's validation
   *     problems; a null tenant stands for any
   */
  static LiveEntries read(
      Path home,
      EvaluatePlan plan,
      FeatureSpace space,
      Map<ClusterId, Cluster> clusters,
      Predicate<Owner> seen) {
    Optional<Manifest> live = new ServingManifests(home).live();
    LiveEntries entries = new LiveEntries(live.orElse(null));
    live.ifPresent(
        manifest -> {
          for (Manifest.Entry entry : manifest.entries()) {
            entries.sort(entry, manifest, home, plan, space, clusters, seen);
          }
        });
    return entries;
  }

  /** Whose a memory is. */
  record Owner(ClusterId cluster, @Nullable TenantId tenant) {}

  private void sort(
      Manifest.Entry entry,
      Manifest manifest,
      Path home,
      EvaluatePlan plan,
      FeatureSpace space,
      Map<ClusterId, Cluster> clusters,
      Predicate<Owner> seen) {
    Manifest.AdapterRef adapter = entry.adapter();
    @Nullable Path directory =
        adapter == null ? null : home.resolve("serving").resolve(adapter.path());
    Cluster cluster = clusters.get(entry.clusterId());
    if (!manifest.baseModel().equals(plan.servedName())) {
      retire(entry, "it was learnt for base model " + manifest.baseModel());
    } else if (cluster == null || cluster.event() == Cluster.Event.RETIRED) {
      retire(entry, fate(entry.clusterId(), clusters));
    } else if (directory != null && !Files.isDirectory(directory)) {
      retire(entry, "its adapter is missing at " + directory);
    } else {
      if (adapter != null && directory != null) {
        adapters.put(adapter.name(), directory);
      }
      if (!entry.trigger().keys().isEmpty()) {
        keys.put(entry.clusterId(), entry.trigger().keys());
      }
      boolean sameSpace = manifest.featureSpaceDigest().equals(space.digest());
      List<EpisodeText> episodes = sameSpace ? entry.episodes() : again(entry.episodes(), space);
      boolean measurable = adapter == null || plan.model() != null;
      if (measurable && seen.test(new Owner(entry.clusterId(), entry.tenant()))) {
        judged.add(
            new Memory(
                Memory.LIVE + entry.memory(),
                entry.clusterId(),
                entry.tenant(),
                adapter,
                entry.rules(),
                episodes,
                adapter == null ? 0 : plan.carrying().adapterSlotPerMonth()));
      } else {
        unseen.add(
            new Manifest.Entry(
                entry.clusterId(),
                entry.tenant(),
                entry.memory(),
                adapter,
                entry.rules(),
                episodes,
                sameSpace ? entry.trigger() : again(entry.trigger(), cluster),
                entry.expectedSaving()));
      }
    }
  }

  private void retire(Manifest.Entry entry, String why) {
    retired.add(new Refusal(title(entry.clusterId(), entry.memory()), "retired: " + why));
  }

  private static String title(ClusterId cluster, String memory) {
    return "cluster " + cluster + ", live " + memory;
  }

  private static String fate(ClusterId id, Map<ClusterId, Cluster> clusters) {
    return clusters.values().stream()
        .filter(c -> c.parents().contains(id) && !c.clusterId().equals(id))
        .map(c -> "its cluster went into " + c.clusterId())
        .findFirst()
        .orElse("its cluster has faded: mining does not see it any more");
  }

  private static List<EpisodeText> again(List<EpisodeText> episodes, FeatureSpace space) {
    return episodes.stream()
        .map(e -> new EpisodeText(e.id(), e.problem(), e.solution(), space.vector(e.problem())))
        .toList();
  }

  /** In a new space likeness has another scale: the cluster's own cohesion gives it. */
  private static Trigger again(Trigger trigger, Cluster cluster) {
    return new Trigger(
        trigger.keys().isEmpty() ? cluster.cohesion() : cluster.cohesion() / 2,
        trigger.margin(),
        cluster.centroid(),
        trigger.keys());
  }

  /** Entries to be judged beside what was learnt tonight. */
  List<Memory> judged() {
    return judged;
  }

  /** Where the adapters of live entries are, by name. */
  Map<String, Path> adapterDirectories() {
    return adapters;
  }

  /** Names that earlier nights found, by cluster. */
  Map<ClusterId, List<String>> keys() {
    return keys;
  }

  /** What became of the live entries: a part of the candidate, and reasons. */
  record Kept(List<Manifest.Entry> unseen, List<Refusal> reasons, boolean anyRetired) {}

  /** After screening: each live entry is a winner, replaced, retired, or was not seen. */
  Kept kept(List<Screening.Choice> choices) {
    Set<Owner> chosen = new HashSet<>();
    List<Refusal> reasons = new ArrayList<>(retired);
    boolean anyRetired = !retired.isEmpty();
    for (Screening.Choice choice : choices) {
      Memory won = choice.chosen();
      if (won != null) {
        chosen.add(new Owner(won.clusterId(), won.tenant()));
      }
      for (var arm : choice.arms()) {
        if (arm.arm().startsWith(Memory.LIVE) && (won == null || !won.arm().equals(arm.arm()))) {
          String memory = arm.arm().substring(Memory.LIVE.length());
          String why = arm.reason();
          anyRetired |= won == null;
          reasons.add(
              new Refusal(
                  title(choice.cluster().clusterId(), memory),
                  won != null
                      ? "replaced by " + won.arm() + ", which saves more"
                      : "retired: " + (why == null ? "saves less than nothing would" : why)));
        }
      }
    }
    List<Manifest.Entry> stay =
        unseen.stream()
            .filter(entry -> !chosen.contains(new Owner(entry.clusterId(), entry.tenant())))
            .toList();
    return new Kept(stay, reasons, anyRetired);
  }

  /**
   * What is live, less what was retired: served when nothing new earns its place, since taking a
   * memory away leaves the base model, against which everything is measured. Empty when the live
   * manifest lives in another feature space, or none is live.
   *
   * @param choices of the screening
   */
  Optional<List<Manifest.Entry>> less(List<Screening.Choice> choices, FeatureSpace space) {
    if (live == null || !live.featureSpaceDigest().equals(space.digest())) {
      return Optional.empty();
    }
    Set<Owner> standing = new HashSet<>();
    unseen.forEach(entry -> standing.add(new Owner(entry.clusterId(), entry.tenant())));
    for (Screening.Choice choice : choices) {
      choice.arms().stream()
          .filter(arm -> arm.arm().startsWith(Memory.LIVE))
          .filter(arm -> arm.reason() == null || choice.chosen() != null)
          .forEach(arm -> standing.add(new Owner(choice.cluster().clusterId(), choice.tenant())));
    }
    return Optional.of(
        live.entries().stream()
            .filter(entry -> standing.contains(new Owner(entry.clusterId(), entry.tenant())))
            .toList());
  }
}
