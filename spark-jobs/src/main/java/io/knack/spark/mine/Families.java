package io.knack.spark.mine;

/**
 * Families: communities of groups that a person would give one name.
 *
 * <p>In the hashed space, modularity alone joins small families of a large log whatever they hold:
 * the weight that it expects between two of them falls with the size of the log, and any stray
 * neighbour exceeds it (Fortunato and Barthélemy, 2007). So a link between two groups counts only
 * when it is a fair share of all links of one of them, and when their texts are alike on average.
 * The opposite fault, a large family in pieces because all neighbours of a text are of its own
 * form, is mended as it is for clusters, by {@link Merging}.
 *
 * <p>Sentence vectors bring forms of a problem together themselves, and how alike strangers are is
 * each encoder's own: there the communities of all links are families as they are.
 */
final class Families {
  /** Of all links of the smaller of two groups: what the link between them must be. */
  private static final double FAIR_SHARE = 0.06;

  /** How alike the texts of two groups of one family are on average, at least. */
  private static final double ALIKE = 0.2;

  /** Of the floor at which groups are one problem: that at which communities are one family. */
  static final double OF_MERGE_FLOOR = 0.72;

  private Families() {}

  /**
   * The family of each group, numbered from 0.
   *
   * @param links weights between and inside groups
   * @param means of each group's texts, see {@link GroupMeans}
   * @param sizes texts of each group
   * @param floor how alike the texts of communities that are one family are on average, at least
   */
  static int[] of(
      WeightedGraph links,
      double[][] means,
      long[] sizes,
      double resolution,
      double floor,
      MinePlan plan) {
    double scale = Louvain.totalStrength(links);
    boolean sentences = plan.encoder() != null;
    int[] community =
        Louvain.communities(sentences ? links : fair(links, means), resolution, scale);
    int communities = Louvain.relabel(community);
    if (sentences) {
      return community;
    }
    long[] total = sums(sizes, community, communities);
    int[] family = Merging.of(means(means, sizes, community, total), total, floor);
    int[] result = new int[community.length];
    for (int g = 0; g < result.length; g++) {
      result[g] = family[community[g]];
    }
    return result;
  }

  private static WeightedGraph fair(WeightedGraph links, double[][] means) {
    WeightedGraph.Builder kept = new WeightedGraph.Builder(links.nodes());
    for (int a = 0; a < links.nodes(); a++) {
      for (int e = links.offsets()[a]; e < links.offsets()[a + 1]; e++) {
        int b = links.targets()[e];
        double least = FAIR_SHARE * Math.min(links.strength(a), links.strength(b));
        if (a < b && links.weights()[e] >= least && Merging.dot(means[a], means[b]) >= ALIKE) {
          kept.add(a, b, links.weights()[e]);
        }
      }
    }
    WeightedGraph graph = kept.build();
    System.arraycopy(links.loops(), 0, graph.loops(), 0, links.nodes());
    return graph;
  }

  static long[] sums(long[] sizes, int[] into, int count) {
    long[] sums = new long[count];
    for (int i = 0; i < sizes.length; i++) {
      sums[into[i]] += sizes[i];
    }
    return sums;
  }

  /** Means of what was put together, from those of the parts. */
  static double[][] means(double[][] parts, long[] sizes, int[] into, long[] totals) {
    double[][] means = new double[totals.length][parts.length == 0 ? 0 : parts[0].length];
    for (int i = 0; i < parts.length; i++) {
      double share = sizes[i] / (double) totals[into[i]];
      for (int r = 0; r < parts[i].length; r++) {
        means[into[i]][r] += share * parts[i][r];
      }
    }
    return means;
  }
}
