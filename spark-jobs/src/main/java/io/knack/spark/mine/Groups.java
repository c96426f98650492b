package io.knack.spark.mine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * Clusters and families of all nodes, tenants apart.
 *
 * @param cluster of each node, from 0; -1 where it belongs to none
 * @param family of each node, from 0
 * @param score recurrence of each node, in [0, 1]
 * @param clusterTenants tenant of each cluster
 * @param familyTenants tenant of each family
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record Groups(
    int[] cluster,
    int[] family,
    float[] score,
    List<String> clusterTenants,
    List<String> familyTenants) {

  /** What keeps coming back. */
  static Groups find(JavaSparkContext context, Nodes nodes, SpaceHandle handle, MinePlan plan) {
    NeighbourGraph graph =
        NeighbourSearch.run(context, nodes, handle, Math.max(10, plan.neighbours()));
    int n = nodes.size();
    List<NeighbourGraph> neighbours = new ArrayList<>();
    List<WeightedGraph> graphs = new ArrayList<>();
    int[] fine = new int[n];
    int groups = 0;
    for (int t = 0; t < nodes.tenants().size(); t++) {
      int from = nodes.starts()[t];
      NeighbourGraph near = graph.slice(from, nodes.starts()[t + 1]);
      int[] copies = Arrays.copyOfRange(nodes.copies(), from, nodes.starts()[t + 1]);
      WeightedGraph shared = near.shared(plan.neighbours(), copies);
      int[] own = Grouping.fine(shared, plan);
      int most = -1;
      for (int i = 0; i < own.length; i++) {
        fine[from + i] = groups + own[i];
        most = Math.max(most, own[i]);
      }
      groups += most + 1;
      neighbours.add(near);
      graphs.add(shared);
    }
    double[][] means = GroupMeans.of(context, nodes, handle, fine, groups);

    Groups found =
        new Groups(new int[n], new int[n], new float[n], new ArrayList<>(), new ArrayList<>());
    for (int t = 0; t < nodes.tenants().size(); t++) {
      int from = nodes.starts()[t];
      int to = nodes.starts()[t + 1];
      int first = fine[from];
      int[] own = Arrays.stream(fine, from, to).map(g -> g - first).toArray();
      int last = Arrays.stream(own).max().orElse(0);
      Grouping grouping =
          Grouping.of(
              neighbours.get(t),
              graphs.get(t),
              Arrays.copyOfRange(nodes.copies(), from, to),
              own,
              Arrays.copyOfRange(means, first, first + last + 1),
              Families.Purpose.PEOPLE,
              plan);
      found.add(nodes.tenants().get(t), from, grouping);
    }
    return found;
  }

  /** Everything of a tenant in one. */
  static Groups whole(Nodes nodes) {
    int n = nodes.size();
    int[] tenant = new int[n];
    for (int t = 0; t < nodes.tenants().size(); t++) {
      Arrays.fill(tenant, nodes.starts()[t], nodes.starts()[t + 1], t);
    }
    return new Groups(tenant, tenant.clone(), new float[n], nodes.tenants(), nodes.tenants());
  }

  private void add(String tenant, int from, Grouping grouping) {
    for (int i = 0; i < grouping.cluster().length; i++) {
      int in = grouping.cluster()[i];
      cluster[from + i] = in < 0 ? -1 : in + clusterTenants.size();
      family[from + i] = grouping.family()[i] + familyTenants.size();
      score[from + i] = grouping.score()[i];
    }
    for (int c = 0; c < grouping.clusters(); c++) {
      clusterTenants.add(tenant);
    }
    for (int f = 0; f < grouping.families(); f++) {
      familyTenants.add(tenant);
    }
  }

  /** Family of each cluster. */
  int[] familyOf() {
    int[] familyOf = new int[clusterTenants.size()];
    for (int i = 0; i < cluster.length; i++) {
      if (cluster[i] >= 0) {
        familyOf[cluster[i]] = family[i];
      }
    }
    return familyOf;
  }
}
