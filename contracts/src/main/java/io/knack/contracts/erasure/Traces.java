package io.knack.contracts.erasure;

import io.knack.contracts.AdapterCard;
import io.knack.contracts.Cluster;
import io.knack.contracts.ClusterMember;
import io.knack.contracts.Example;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleSet;
import io.knack.contracts.Split;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where a person's data went: found from the interactions on, along what was made of them. Only
 * reads.
 *
 * @param subject salted hash
 * @param interactions ids
 * @param texts problems of those interactions
 * @param examples ids
 * @param episodes ids
 * @param rules that lose every evidence
 * @param adapters by their weights' digest: directories of adapters that learnt from the examples
 */
record Traces(
    SubjectId subject,
    Set<String> interactions,
    Set<String> texts,
    Set<String> examples,
    Set<String> episodes,
    Set<String> rules,
    Map<String, Path> adapters,
    Set<String> keptAdapters,
    Set<String> retrain) {

  /** Shorter texts occur by chance. */
  private static final int QUOTATION = 20;

  static Traces of(ArtifactStore store, SubjectId subject) {
    Traces traces =
        new Traces(
            subject,
            new HashSet<>(),
            new HashSet<>(),
            new HashSet<>(),
            new HashSet<>(),
            new TreeSet<>(),
            new HashMap<>(),
            new HashSet<>(),
            new TreeSet<>());
    traces.read(store);
    return traces;
  }

  private void read(ArtifactStore store) {
    each(
        store,
        Tables.INTERACTIONS,
        ArtifactKind.INTERACTIONS,
        row -> {
          if (subject.equals(row.subject())) {
            interactions.add(row.id().value());
            if (!row.problem().isBlank()) {
              texts.add(row.problem());
            }
          }
        });
    each(
        store,
        Tables.EXAMPLES,
        ArtifactKind.CURRICULUM,
        row -> {
          if (isErased(
              row.subject() == null ? null : row.subject().value(),
              row.sourceInteractionIds().stream().map(id -> id.value()).toList())) {
            examples.add(row.id().value());
            if (!row.problem().isBlank()) {
              texts.add(row.problem());
            }
          }
        });
    each(
        store,
        Tables.EPISODES,
        ArtifactKind.EPISODES,
        row -> {
          if (subject.equals(row.subject()) || examples.contains(row.source().value())) {
            episodes.add(row.id().value());
          }
        });
    for (Artifact artifact : store.chain(ArtifactKind.RULES)) {
      for (Rule rule : rulesOf(artifact)) {
        if (losesAll(rule)) {
          rules.add(rule.id().value());
        }
      }
    }
    for (Artifact artifact : store.chain(ArtifactKind.ADAPTERS)) {
      Set<String> touched = touchedBy(store, artifact);
      for (Path directory : adapterDirectories(artifact)) {
        String cluster = clusterOf(directory);
        String digest = AdapterCard.weightsDigest(directory);
        if (touched.contains(cluster)) {
          adapters.put(digest, directory);
          retrain.add(cluster);
        } else {
          keptAdapters.add(digest);
        }
      }
    }
  }

  /** An example is a person's when it says so, or when nobody else asked it. */
  boolean isErased(@Nullable String owner, List<String> sources) {
    return subject.value().equals(owner)
        || (!sources.isEmpty() && interactions.containsAll(sources));
  }

  boolean erasedEvidence(ExampleId example) {
    return examples.contains(example.value());
  }

  /** Whether nothing else stands behind a rule, or it repeats what the person wrote. */
  boolean losesAll(Rule rule) {
    return rule.evidence().stream().anyMatch(this::erasedEvidence)
        && (rule.evidence().stream().allMatch(this::erasedEvidence)
            || texts.stream()
                .filter(text -> text.length() >= QUOTATION)
                .anyMatch(text -> rule.when().contains(text) || rule.then().contains(text)));
  }

  boolean isEmpty() {
    return interactions.isEmpty()
        && examples.isEmpty()
        && episodes.isEmpty()
        && rules.isEmpty()
        && adapters.isEmpty();
  }

  /** Clusters whose adapter in this artifact was trained on an example that goes. */
  private Set<String> touchedBy(ArtifactStore store, Artifact artifact) {
    Set<String> touched = new HashSet<>();
    for (ArtifactRef input : artifact.card().inputs()) {
      if (input.kind() != ArtifactKind.CURRICULUM) {
        continue;
      }
      store
          .current(input)
          .filter(curriculum -> Tables.EXAMPLES.isIn(curriculum.directory()))
          .ifPresent(
              curriculum -> {
                try (Stream<Example> rows = Tables.EXAMPLES.readFrom(curriculum.directory())) {
                  rows.filter(row -> row.split() == Split.TRAIN && erasedEvidence(row.id()))
                      .forEach(row -> touched.add(String.valueOf(row.clusterId())));
                }
              });
    }
    if (!touched.isEmpty() && replays(artifact)) {
      // Replay mixes examples of other clusters in: every adapter of that night may have seen them.
      adapterDirectories(artifact).forEach(directory -> touched.add(clusterOf(directory)));
    }
    return touched;
  }

  private static boolean replays(Artifact artifact) {
    try {
      return Jsons.mapper().readTree(artifact.card().plan()).path("replay_ratio").asDouble() > 0;
    } catch (IOException e) {
      throw new ContractException(artifact.ref() + " carries a plan that is no JSON", e);
    }
  }

  static List<Path> adapterDirectories(Artifact artifact) {
    try (Stream<Path> paths = Files.list(artifact.directory())) {
      return paths
          .filter(path -> Files.exists(path.resolve("adapter_config.json")))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new ContractException("cannot list " + artifact.directory(), e);
    }
  }

  static String clusterOf(Path directory) {
    Path card = directory.resolve(AdapterCard.FILE);
    if (!Files.exists(card)) {
      return String.valueOf(directory.getFileName());
    }
    try {
      return Jsons.mapper()
          .readValue(Files.readString(card), AdapterCard.class)
          .clusterId()
          .value();
    } catch (IOException e) {
      throw new ContractException(card + " is no adapter card: " + e.getMessage(), e);
    }
  }

  /** Every rule that an artifact writes down, live or in its part of the ledger. */
  static List<Rule> rulesOf(Artifact artifact) {
    List<Rule> rules = new ArrayList<>();
    Path live = artifact.file("rules.json");
    Path ledger = artifact.file("ledger.jsonl");
    try {
      if (Files.exists(live)) {
        rules.addAll(Jsons.mapper().readValue(Files.readString(live), RuleSet.class).rules());
      }
      for (String line : DurableFiles.wholeLines(ledger)) {
        Rule rule = Jsons.mapper().readValue(line, RuleEvent.class).rule();
        if (rule != null) {
          rules.add(rule);
        }
      }
    } catch (IOException e) {
      throw new ContractException(artifact.ref() + " has unreadable rules: " + e.getMessage(), e);
    }
    return rules;
  }

  /**
   * Clusters that the person was in and that too few others were in: what such a cluster is about
   * may be about the person.
   */
  Set<String> nearlyAlone(Artifact clusters) {
    Set<String> found = new HashSet<>();
    if (Tables.CLUSTERS.isIn(clusters.directory()) && Tables.MEMBERS.isIn(clusters.directory())) {
      try (Stream<ClusterMember> rows = Tables.MEMBERS.readFrom(clusters.directory())) {
        rows.filter(row -> interactions.contains(row.interactionId().value()))
            .forEach(row -> found.add(String.valueOf(row.clusterId())));
      }
      try (Stream<Cluster> rows = Tables.CLUSTERS.readFrom(clusters.directory())) {
        rows.filter(Cluster::eligible).forEach(row -> found.remove(row.clusterId().value()));
      }
    }
    return found;
  }

  private static <T extends Record> void each(
      ArtifactStore store, Table<T> table, ArtifactKind kind, Consumer<T> visit) {
    for (Artifact artifact : store.chain(kind)) {
      if (table.isIn(artifact.directory())) {
        try (Stream<T> rows = table.readFrom(artifact.directory())) {
          rows.forEach(visit);
        }
      }
    }
  }
}
