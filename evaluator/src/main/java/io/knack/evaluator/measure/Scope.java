package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.practice.features.FeatureSpace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Fits the triggers of clusters that compete for the same problems. */
final class Scope {
  private final FeatureSpace space;
  private final Map<ClusterId, Cluster> clusters;
  private final Map<Example, SparseVector> vectors = new HashMap<>();

  Scope(FeatureSpace space, Map<ClusterId, Cluster> clusters) {
    this.space = space;
    this.clusters = clusters;
  }

  /** A fitted trigger and how well it did on validation. */
  record Fitted(Manifest.Trigger trigger, TriggerFit fit) {}

  /**
   * @param competing clusters that will have an entry: the runner-up is one of them
   * @param validation problems of any cluster
   * @param outside problems of no cluster
   */
  Map<ClusterId, Fitted> fit(
      List<ClusterId> competing,
      List<Example> validation,
      List<Example> outside,
      EvaluatePlan.Triggers limits) {
    Map<ClusterId, List<TriggerFit.Seen>> own = new HashMap<>();
    Map<ClusterId, List<TriggerFit.Seen>> unlike = new HashMap<>();
    List<Example> all = new ArrayList<>(validation);
    all.addAll(outside);
    for (Example example : all) {
      SparseVector vector = vectors.computeIfAbsent(example, e -> space.vector(e.problem()));
      double[] similarity = new double[competing.size()];
      for (int i = 0; i < similarity.length; i++) {
        similarity[i] = space.similarity(vector, cluster(competing.get(i)).centroid());
      }
      for (int i = 0; i < similarity.length; i++) {
        double runnerUp = 0;
        for (int j = 0; j < similarity.length; j++) {
          if (j != i) {
            runnerUp = Math.max(runnerUp, similarity[j]);
          }
        }
        ClusterId id = competing.get(i);
        (id.equals(example.clusterId()) ? own : unlike)
            .computeIfAbsent(id, k -> new ArrayList<>())
            .add(new TriggerFit.Seen(similarity[i], similarity[i] - runnerUp));
      }
    }
    Map<ClusterId, Fitted> fitted = new LinkedHashMap<>();
    for (ClusterId id : competing) {
      TriggerFit fit =
          TriggerFit.of(
              own.getOrDefault(id, List.of()), unlike.getOrDefault(id, List.of()), limits);
      fitted.put(
          id,
          new Fitted(new Manifest.Trigger(fit.floor(), fit.margin(), cluster(id).centroid()), fit));
    }
    return fitted;
  }

  private Cluster cluster(ClusterId id) {
    Cluster cluster = clusters.get(id);
    if (cluster == null) {
      throw new IllegalArgumentException("no cluster " + id);
    }
    return cluster;
  }
}
