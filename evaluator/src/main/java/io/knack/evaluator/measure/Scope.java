package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.features.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Fits the triggers of clusters that compete for the same problems: by key words where a cluster
 * has a name, else by likeness alone. Training and validation problems are the cluster's own; their
 * likeness is measured to what the centroid would be without them, because a new problem is not in
 * it.
 */
final class Scope {
  private final FeatureSpace space;
  private final Map<ClusterId, Cluster> clusters;
  private final List<Seen> problems = new ArrayList<>();
  private final Map<ClusterId, KeyWords.Name> names;
  private final Map<ClusterId, List<String>> earlierKeys;

  /** A problem as routing reads it. */
  private record Seen(Example example, SparseVector vector, Set<String> words) {
    @Nullable ClusterId cluster() {
      return example.clusterId();
    }
  }

  /**
   * @param known problems of clusters: training and validation
   * @param outside problems of no cluster
   * @param earlierKeys names that earlier nights found, for clusters that show none tonight
   */
  Scope(
      FeatureSpace space,
      Map<ClusterId, Cluster> clusters,
      List<Example> known,
      List<Example> outside,
      Map<ClusterId, List<String>> earlierKeys) {
    this.space = space;
    this.clusters = clusters;
    List<Example> all = new ArrayList<>(known);
    all.addAll(outside);
    Set<String> distinct = new HashSet<>();
    List<Example> seen =
        all.stream()
            .filter(e -> distinct.add(e.clusterId() + "\n" + e.tenant() + "\n" + e.problem()))
            .toList();
    List<SparseVector> vectors = space.vectors(seen.stream().map(Example::problem).toList());
    for (int i = 0; i < vectors.size(); i++) {
      Set<String> words = Set.copyOf(Words.of(seen.get(i).problem()));
      problems.add(new Seen(seen.get(i), vectors.get(i), words));
    }
    this.names = names(all, clusters);
    this.earlierKeys = Map.copyOf(earlierKeys);
  }

  /** Where no cluster is shared, what other tenants say says nothing about a tenant's names. */
  private static Map<ClusterId, KeyWords.Name> names(
      List<Example> all, Map<ClusterId, Cluster> clusters) {
    if (clusters.values().stream().anyMatch(cluster -> cluster.tenant() == null)) {
      return new KeyWords(all).find();
    }
    Map<ClusterId, KeyWords.Name> names = new HashMap<>();
    all.stream()
        .collect(Collectors.groupingBy(example -> Objects.toString(example.tenant())))
        .values()
        .forEach(ofTenant -> names.putAll(new KeyWords(ofTenant).find()));
    return names;
  }

  /** Whether a problem can be routed to a cluster's entry at all. */
  private static boolean serves(Cluster cluster, Seen seen) {
    return cluster.tenant() == null || cluster.tenant().equals(seen.example().tenant());
  }

  /** A fitted trigger and how well it did on problems that were seen. */
  record Fitted(Manifest.Trigger trigger, TriggerFit fit) {}

  /**
   * @param competing clusters that will have an entry: the runner-up is one of them
   */
  Map<ClusterId, Fitted> fit(List<ClusterId> competing, EvaluatePlan.Triggers limits) {
    double[][] similarity = new double[problems.size()][competing.size()];
    for (int p = 0; p < similarity.length; p++) {
      for (int c = 0; c < competing.size(); c++) {
        Cluster cluster = cluster(competing.get(c));
        double plain = space.similarity(problems.get(p).vector(), cluster.centroid());
        similarity[p][c] =
            cluster.clusterId().equals(problems.get(p).cluster())
                ? withoutItself(plain, cluster)
                : plain;
      }
    }
    Map<ClusterId, Fitted> fitted = new LinkedHashMap<>();
    for (int c = 0; c < competing.size(); c++) {
      ClusterId id = competing.get(c);
      List<String> words = keys(id);
      TriggerFit fit =
          words.isEmpty()
              ? byLikeness(c, competing, similarity, limits)
              : byName(c, competing, words, similarity, limits);
      fitted.put(
          id,
          new Fitted(
              new Manifest.Trigger(fit.floor(), fit.margin(), cluster(id).centroid(), words), fit));
    }
    return fitted;
  }

  /** Words that name a cluster; empty when it has no name. */
  List<String> keys(ClusterId id) {
    List<String> found = name(id).keys();
    return found.isEmpty() ? earlierKeys.getOrDefault(id, List.of()) : found;
  }

  private KeyWords.Name name(ClusterId id) {
    return names.getOrDefault(id, KeyWords.Name.NONE);
  }

  /** To fire on a problem elsewhere that is solved with the same knowledge is no misfire. */
  private TriggerFit byName(
      int at,
      List<ClusterId> competing,
      List<String> words,
      double[][] similarity,
      EvaluatePlan.Triggers limits) {
    List<Double> own = new ArrayList<>();
    List<Double> unlike = new ArrayList<>();
    int owned = 0;
    int strange = 0;
    for (int p = 0; p < problems.size(); p++) {
      Seen seen = problems.get(p);
      if (!serves(cluster(competing.get(at)), seen)) {
        continue;
      }
      boolean named = seen.words().containsAll(words);
      if (competing.get(at).equals(seen.cluster())) {
        owned++;
        if (named) {
          own.add(similarity[p][at]);
        }
      } else if (!name(competing.get(at)).sameKnowledge(seen.example())) {
        strange++;
        if (named) {
          unlike.add(similarity[p][at]);
        }
      }
    }
    return TriggerFit.named(own, owned, unlike, strange, limits);
  }

  /** Among entries without a name, and problems that no entry with a name takes. */
  private TriggerFit byLikeness(
      int at, List<ClusterId> competing, double[][] similarity, EvaluatePlan.Triggers limits) {
    List<TriggerFit.Seen> own = new ArrayList<>();
    List<TriggerFit.Seen> unlike = new ArrayList<>();
    for (int p = 0; p < problems.size(); p++) {
      Seen seen = problems.get(p);
      if (!serves(cluster(competing.get(at)), seen)) {
        continue;
      }
      double runnerUp = 0;
      for (int j = 0; j < competing.size(); j++) {
        if (j != at
            && keys(competing.get(j)).isEmpty()
            && serves(cluster(competing.get(j)), seen)) {
          runnerUp = Math.max(runnerUp, similarity[p][j]);
        }
      }
      (competing.get(at).equals(seen.cluster()) ? own : unlike)
          .add(new TriggerFit.Seen(similarity[p][at], similarity[p][at] - runnerUp));
    }
    return TriggerFit.of(own, unlike, limits);
  }

  /**
   * Likeness to the centroid of the cluster's other problems. The centroid c has length one and
   * stands for a sum of n unit vectors v whose mean likeness to it is the cohesion k, so the sum is
   * n k c, and without v it is n k c - v.
   */
  private static double withoutItself(double similarity, Cluster cluster) {
    double sum = cluster.size() * cluster.cohesion();
    double rest = sum * sum - 2 * sum * similarity + 1;
    return rest <= 1e-9 ? 0 : Math.max(0, (sum * similarity - 1) / Math.sqrt(rest));
  }

  private Cluster cluster(ClusterId id) {
    Cluster cluster = clusters.get(id);
    if (cluster == null) {
      throw new IllegalArgumentException("no cluster " + id);
    }
    return cluster;
  }
}
