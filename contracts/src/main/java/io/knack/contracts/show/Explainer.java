package io.knack.contracts.show;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.AdapterCard;
import io.knack.contracts.Cluster;
import io.knack.contracts.ClusterMember;
import io.knack.contracts.Episode;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Manifest;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleSet;
import io.knack.contracts.Split;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Walks from right to left along the inputs that artifacts name. Only reads. */
final class Explainer {
  private static final Pattern NUMBERED = Pattern.compile("v(\\d{6,18})(?:/(.+))?");
  private static final Pattern EVALUATION = Pattern.compile("evaluation@([0-9a-f]{64})");

  private final Path home;
  private final ArtifactStore store;
  private final int ids;

  /**
   * @param ids interactions to name at most
   */
  Explainer(Path home, int ids) {
    this.home = home;
    this.store = ArtifactStore.open(home);
    this.ids = ids;
  }

  Explanation explain(String ref) {
    Matcher numbered = NUMBERED.matcher(ref);
    if (ref.equals("manifest") || numbered.matches()) {
      return manifest(
          ref.equals("manifest") ? null : numbered.group(1),
          ref.equals("manifest") ? null : numbered.group(2));
    }
    return adapter(ref)
        .or(() -> rule(ref))
        .or(() -> episode(ref))
        .or(() -> newest(ArtifactKind.CLUSTERS, artifact -> cluster(artifact, ref)))
        .orElseThrow(() -> unknown(ref));
  }

  private PlanException unknown(String ref) {
    return new PlanException(
        "nothing to explain for '"
            + ref
            + "' in "
            + home
            + ": expected 'manifest', vNNNNNN, vNNNNNN/CLUSTER, an adapter's name or directory, a"
            + " rule id, an episode id or a cluster id; './knack show clusters', 'show rules',"
            + " 'show episodes' and 'show manifest' list them");
  }

  // ---- manifests

  private Explanation manifest(@Nullable String number, @Nullable String cluster) {
    ServingManifests manifests = new ServingManifests(home);
    Path file =
        (number == null
                ? manifests.liveFile()
                : Optional.ofNullable(manifests.files().get(Long.valueOf(number))))
            .orElseThrow(
                () ->
                    new PlanException(
                        number == null
                            ? "nothing was promoted in " + home + " yet"
                            : "no manifest v" + number + "; './knack history' lists them"));
    Manifest manifest = ServingManifests.read(file);
    String name = Manifest.name(manifest.number());
    Optional<Artifact> evaluation = evaluation(manifests, manifest);
    if (cluster != null) {
      return manifest.entries().stream()
          .filter(entry -> entry.clusterId().value().equals(cluster))
          .findFirst()
          .map(entry -> entry(name, entry, evaluation))
          .orElseThrow(
              () ->
                  new PlanException(
                      name
                          + " has no entry for cluster '"
                          + cluster
                          + "'; it has "
                          + manifest.entries().stream()
                              .map(entry -> entry.clusterId().value())
                              .toList()));
    }
    Explanation.Builder all =
        new Explanation.Builder("manifest", name)
            .fact("previous", manifest.previous())
            .fact("created_at", manifest.createdAt().toString())
            .fact("reason", manifest.reason())
            .fact("base_model", manifest.baseModel())
            .fact("feature_space", manifest.featureSpaceDigest());
    evaluation.ifPresent(artifact -> all.from(verdict(artifact, null)));
    manifest.entries().forEach(entry -> all.from(entry(name, entry, evaluation)));
    return all.build();
  }

  /** What the manifest was promoted by; a rollback or an erasure goes on from the one before. */
  private Optional<Artifact> evaluation(ServingManifests manifests, Manifest manifest) {
    Matcher source = EVALUATION.matcher(manifest.reason());
    if (source.find()) {
      return store.current(new ArtifactRef(ArtifactKind.EVALUATION, source.group(1)));
    }
    Long previous = manifest.previous();
    if (previous == null || previous >= manifest.number()) {
      return Optional.empty();
    }
    Path file = manifests.file(previous);
    return Files.exists(file)
        ? evaluation(manifests, ServingManifests.read(file))
        : Optional.empty();
  }

  private Explanation entry(String manifest, Manifest.Entry entry, Optional<Artifact> evaluation) {
    String cluster = entry.clusterId().value();
    Explanation.Builder builder =
        new Explanation.Builder("entry", manifest + "/" + cluster)
            .fact("tenant", entry.tenant() == null ? null : entry.tenant().value())
            .fact("memory", entry.memory())
            .fact("expected_saving", entry.expectedSaving())
            .fact("trigger_floor", entry.trigger().floor())
            .fact("trigger_margin", entry.trigger().margin());
    evaluation.ifPresent(artifact -> builder.from(verdict(artifact, cluster)));
    Manifest.AdapterRef adapter = entry.adapter();
    if (adapter != null) {
      builder.from(
          adapter(adapter.name())
              .orElseGet(
                  () ->
                      new Explanation.Builder("adapter", adapter.name())
                          .fact("note", "its artifact is gone: erased, or of another workspace")
                          .build()));
    }
    entry.rules().forEach(rule -> builder.from(rule(rule.id().value()).orElse(null)));
    entry.episodes().forEach(one -> builder.from(episode(one.id().value()).orElse(null)));
    return builder.build();
  }

  // ---- decisions

  /** What the gate said: of one cluster, or overall. */
  private Explanation verdict(Artifact evaluation, @Nullable String cluster) {
    Explanation.Builder builder = artifact("evaluation", evaluation);
    Path file = evaluation.file("report.json");
    if (!Files.exists(file)) {
      return builder.build();
    }
    JsonNode report = read(file, JsonNode.class);
    JsonNode subject = report;
    if (cluster != null) {
      for (JsonNode entry : report.path("entries")) {
        if (entry.path("cluster_id").asText().equals(cluster)) {
          subject = entry;
        }
      }
    }
    builder
        .fact("verdict", textOf(subject.path("verdict").path("decision")))
        .fact("decided_by", textOf(subject.path("verdict").path("rule")))
        .fact("method", textOf(report.path("method")));
    if (cluster != null) {
      builder
          .fact("chosen", textOf(subject.path("memory")))
          .fact("expected_saving_per_month", textOf(subject.path("expected_saving")));
      for (JsonNode arm : subject.path("arms")) {
        builder.fact(
            "arm_" + arm.path("arm").asText(),
            String.format(
                Locale.ROOT,
                "%d problems, saving %.3f, accuracy %+.3f%s",
                arm.path("problems").asLong(),
                arm.path("saving").asDouble(),
                arm.path("accuracy_change").asDouble(),
                arm.path("reason").isTextual() ? ", " + arm.path("reason").asText() : ""));
      }
    }
    for (JsonNode comparison : report.path("comparisons")) {
      boolean wanted =
          cluster == null
              ? comparison.path("dimension").asText().equals("all")
              : comparison.path("dimension").asText().equals("cluster")
                  && comparison.path("value").asText().equals(cluster);
      if (wanted && !comparison.path("phase").asText().equals("screening")) {
        builder.fact(
            comparison.path("phase").asText() + "_" + comparison.path("arm").asText(),
            comparison.path("problems").asText()
                + " problems, saving "
                + interval(comparison.path("saving"))
                + ", accuracy "
                + interval(comparison.path("accuracy_change")));
      }
    }
    return builder.build();
  }

  private static String interval(JsonNode interval) {
    return String.format(
        Locale.ROOT,
        "%.3f [%.3f, %.3f]",
        interval.path("estimate").asDouble(),
        interval.path("low").asDouble(),
        interval.path("high").asDouble());
  }

  private static @Nullable String textOf(JsonNode node) {
    return node.isMissingNode() || node.isNull() ? null : node.asText();
  }

  /** The latest evaluation that judged what an artifact handed on. */
  private @Nullable Explanation judged(Artifact memory, String cluster) {
    List<Artifact> chain = store.chain(ArtifactKind.EVALUATION);
    for (int i = chain.size() - 1; i >= 0; i--) {
      List<ArtifactRef> inputs = chain.get(i).card().inputs();
      if (inputs.contains(memory.ref())
          || memory.card().supersedes().stream().anyMatch(inputs::contains)) {
        return verdict(chain.get(i), cluster);
      }
    }
    return null;
  }

  // ---- memories

  private Optional<Explanation> adapter(String ref) {
    return newest(
        ArtifactKind.ADAPTERS,
        artifact -> {
          try (Stream<Path> paths = Files.list(artifact.directory())) {
            return paths
                .filter(path -> Files.exists(path.resolve(AdapterCard.FILE)))
                .filter(path -> isAdapter(path, ref))
                .findFirst()
                .map(path -> adapter(artifact, path));
          } catch (IOException e) {
            throw new ContractException("cannot list " + artifact.directory(), e);
          }
        });
  }

  /** By its directory here or in serving, or by its name in serving, which ends in its digest. */
  private static boolean isAdapter(Path directory, String ref) {
    Path given = Path.of(ref);
    if (Files.isDirectory(given)
        && Files.exists(given.resolve("adapter_config.json"))
        && Files.exists(given.resolve("adapter_model.safetensors"))) {
      return AdapterCard.weightsDigest(given).equals(AdapterCard.weightsDigest(directory));
    }
    return ref.matches(".+-[0-9a-f]{12}")
        && AdapterCard.weightsDigest(directory).startsWith(ref.substring(ref.length() - 12));
  }

  private Explanation adapter(Artifact artifact, Path directory) {
    AdapterCard card = read(directory.resolve(AdapterCard.FILE), AdapterCard.class);
    String cluster = card.clusterId().value();
    return artifact("adapter", artifact)
        .fact("cluster", cluster)
        .fact("base_model", card.baseModel())
        .fact("examples", card.examples())
        .fact("steps", card.steps())
        .fact("weights_digest", AdapterCard.weightsDigest(directory))
        .from(judged(artifact, cluster))
        .from(
            curriculum(
                artifact,
                cluster,
                example ->
                    example.split() == Split.TRAIN
                        && example.clusterId() != null
                        && example.clusterId().value().equals(cluster)))
        .build();
  }

  private Optional<Explanation> rule(String id) {
    return newest(
        ArtifactKind.RULES,
        artifact ->
            read(artifact.file("rules.json"), RuleSet.class).rules().stream()
                .filter(rule -> rule.id().value().equals(id))
                .findFirst()
                .map(rule -> rule(artifact, rule)));
  }

  private Explanation rule(Artifact artifact, Rule rule) {
    Set<ExampleId> evidence = Set.copyOf(rule.evidence());
    String cluster = rule.clusterId().value();
    return artifact("rule", artifact)
        .fact("rule", rule.id().value())
        .fact("cluster", cluster)
        .fact("way", rule.way())
        .fact("when", rule.when())
        .fact("then", rule.then())
        .fact("helped", rule.helped())
        .fact("harmed", rule.harmed())
        .fact("evidence", rule.evidence().stream().map(ExampleId::value).toList())
        .from(judged(artifact, cluster))
        .from(curriculum(artifact, cluster, example -> evidence.contains(example.id())))
        .build();
  }

  private Optional<Explanation> episode(String id) {
    return newest(
        ArtifactKind.EPISODES,
        artifact ->
            find(artifact, Tables.EPISODES, episode -> episode.id().value().equals(id))
                .map(episode -> episode(artifact, episode)));
  }

  private Explanation episode(Artifact artifact, Episode episode) {
    String cluster = episode.clusterId().value();
    return artifact("episode", artifact)
        .fact("episode", episode.id().value())
        .fact("cluster", cluster)
        .fact("problem", episode.problem())
        .fact("solution", episode.solution())
        .from(judged(artifact, cluster))
        .from(curriculum(artifact, cluster, example -> example.id().equals(episode.source())))
        .build();
  }

  // ---- what was learnt from

  private @Nullable Explanation curriculum(
      Artifact memory, String cluster, Predicate<Example> learnt) {
    Artifact curriculum = input(memory, ArtifactKind.CURRICULUM);
    if (curriculum == null) {
      return null;
    }
    TreeMap<String, Long> splits = new TreeMap<>();
    Set<String> sources = new TreeSet<>();
    long[] examples = {0};
    try (Stream<Example> rows = rows(curriculum, Tables.EXAMPLES)) {
      rows.forEach(
          example -> {
            if (example.clusterId() != null && example.clusterId().value().equals(cluster)) {
              splits.merge(example.split().name().toLowerCase(Locale.ROOT), 1L, Long::sum);
            }
            if (learnt.test(example)) {
              examples[0]++;
              example.sourceInteractionIds().forEach(id -> sources.add(id.value()));
            }
          });
    }
    Explanation.Builder builder =
        artifact("curriculum", curriculum)
            .fact("learnt_from_examples", examples[0])
            .fact("examples_of_the_cluster", splits);
    Artifact clusters = input(curriculum, ArtifactKind.CLUSTERS);
    if (clusters != null) {
      builder.from(cluster(clusters, cluster, sources).orElse(null));
    } else {
      builder.from(interactions(curriculum, sources));
    }
    return builder.build();
  }

  /** A cluster by itself: all its members. */
  private Optional<Explanation> cluster(Artifact clusters, String id) {
    Set<String> members = new TreeSet<>();
    try (Stream<ClusterMember> rows = rows(clusters, Tables.MEMBERS)) {
      rows.filter(row -> row.clusterId() != null && row.clusterId().value().equals(id))
          .forEach(row -> members.add(row.interactionId().value()));
    }
    return cluster(clusters, id, members);
  }

  private Optional<Explanation> cluster(Artifact clusters, String id, Set<String> interactions) {
    return find(clusters, Tables.CLUSTERS, cluster -> cluster.clusterId().value().equals(id))
        .map(
            cluster ->
                artifact("cluster", clusters)
                    .fact("cluster", id)
                    .fact("family", cluster.familyId().value())
                    .fact("event", cluster.event().name().toLowerCase(Locale.ROOT))
                    .fact("parents", parents(cluster))
                    .fact("size", cluster.size())
                    .fact("days", cluster.firstDay() + " to " + cluster.lastDay())
                    .fact("subjects", cluster.subjects())
                    .fact("eligible", cluster.eligible())
                    .fact("pass_rate", cluster.passRate())
                    .fact("expected_saving_per_month", cluster.expectedSavingPerMonth())
                    .fact("terms", cluster.terms())
                    .from(interactions(clusters, interactions))
                    .build());
  }

  private static @Nullable List<String> parents(Cluster cluster) {
    List<String> parents = cluster.parents().stream().map(id -> id.value()).toList();
    return parents.isEmpty() ? null : parents;
  }

  /** Of the deltas that an artifact was made of, those that hold the wanted rows. */
  private List<Explanation> interactions(Artifact reader, Set<String> wanted) {
    List<Explanation> found = new ArrayList<>();
    Set<String> missing = new HashSet<>(wanted);
    for (ArtifactRef ref : reader.card().inputs()) {
      Artifact delta =
          ref.kind() == ArtifactKind.INTERACTIONS ? store.current(ref).orElse(null) : null;
      if (delta == null) {
        continue;
      }
      TreeMap<LocalDate, Long> days = new TreeMap<>();
      Set<String> here = new TreeSet<>();
      try (Stream<Interaction> rows = rows(delta, Tables.INTERACTIONS)) {
        rows.filter(row -> wanted.contains(row.id().value()))
            .forEach(
                row -> {
                  here.add(row.id().value());
                  days.merge(LocalDate.ofInstant(row.occurredAt(), ZoneOffset.UTC), 1L, Long::sum);
                });
      }
      if (!here.isEmpty()) {
        missing.removeAll(here);
        TreeMap<String, Long> byDay = new TreeMap<>();
        days.forEach((day, count) -> byDay.put(day.toString(), count));
        found.add(
            artifact("interactions", delta)
                .fact("count", here.size())
                .fact("days", byDay)
                .fact("ids", here.stream().limit(ids).toList())
                .build());
      }
    }
    if (!missing.isEmpty()) {
      found.add(
          new Explanation.Builder("interactions", "gone")
              .fact("count", missing.size())
              .fact("note", "erased, or of another workspace")
              .build());
    }
    return found;
  }

  // ---- small things

  private static Explanation.Builder artifact(String kind, Artifact artifact) {
    boolean replaced = !artifact.card().supersedes().isEmpty();
    return new Explanation.Builder(kind, artifact.ref().toString())
        .fact("made_by", artifact.card().producer() + " in run " + artifact.card().run())
        .fact("plan_digest", artifact.card().planDigest())
        .fact("note", replaced ? artifact.card().note() : null);
  }

  /** What an input is today; null when the artifact names none of that kind, or it is gone. */
  private @Nullable Artifact input(Artifact artifact, ArtifactKind kind) {
    return artifact.card().inputs().stream()
        .filter(ref -> ref.kind() == kind)
        .reduce((first, second) -> second)
        .flatMap(store::current)
        .orElse(null);
  }

  private Optional<Explanation> newest(
      ArtifactKind kind, Function<Artifact, Optional<Explanation>> look) {
    List<Artifact> chain = store.chain(kind);
    for (int i = chain.size() - 1; i >= 0; i--) {
      Optional<Explanation> found = look.apply(chain.get(i));
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static <T extends Record> Stream<T> rows(Artifact artifact, Table<T> table) {
    return table.isIn(artifact.directory()) ? table.readFrom(artifact.directory()) : Stream.of();
  }

  private static <T extends Record> Optional<T> find(
      Artifact artifact, Table<T> table, Predicate<T> wanted) {
    try (Stream<T> rows = rows(artifact, table)) {
      return rows.filter(wanted).findFirst();
    }
  }

  private static <T> T read(Path file, Class<T> type) {
    try {
      return Jsons.mapper().readValue(Files.readString(file), type);
    } catch (IOException e) {
      throw new ContractException(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
