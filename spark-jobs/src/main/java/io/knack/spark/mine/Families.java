package io.knack.spark.mine;

import java.util.Arrays;

/**
 * Families: communities of groups that a person would give one name.
 *
 * <p>In the hashed space, modularity alone joins small families of a large log whatever they hold:
 * the weight that it expects between two of them falls with the size of the log, and any stray
 * neighbour exceeds it (Fortunato and Barthélemy, 2007). So a link between two groups counts only
 * when it is a fair share of all links of one of them, and when their texts are alike on average.
 * The opposite fault, a large family in pieces because all neighbours of a text are of its own
 * form, is mended as it is for clusters, by {@link Merging}. What then recurs too little to be a
 * family of its own joins the nearest one.
 *
 * <p>Sentence vectors bring forms of a problem together themselves, and how alike strangers are is
 * each encoder's own: there the communities of all links are families as they are.
 */
final class Families {
  /** Of all links of the smaller of two groups: what the link between them must be. */
  private static final double FAIR_SHARE = 0.06;

  /** How alike the texts of two groups of one family are on average, at least. */
  private static final double ALIKE = 0.2;

  /** Cosine of the means of two groups of one family, at least. */
  private static final double MEANS = 0.56;

  private Families() {}

  /** What families are found for. */
  enum Purpose {
    /**
     * To weigh features by: that no problem lies in pieces matters more than that none holds
     * another, and what hardly recurs is better left alone.
     */
    LEARNING,

    /** To be shown: every text in the nearest. */
    PEOPLE;

    /** Of communities that are one family, by the floor at which groups are one problem. */
    Likeness likeness(MinePlan plan) {
      double floor = plan.mergeFloor();
      return this == LEARNING
          ? Likeness.of(0.6 * floor)
          : new Likeness(0.9 * floor, 0.54 * floor, MEANS);
    }
  }

  /**
   * The family of each group, numbered from 0.
   *
   * @param links weights between and inside groups
   * @param means of each group's texts, see {@link GroupMeans}
   * @param sizes texts of each group
   */
  static int[] of(
      WeightedGraph links,
      double[][] means,
      long[] sizes,
      double resolution,
      Purpose purpose,
      MinePlan plan) {
    double scale = Louvain.totalStrength(links);
    Likeness likeness = purpose.likeness(plan);
    boolean sentences = plan.encoder() != null;
    int[] community =
        Louvain.communities(sentences ? links : fair(links, means, likeness), resolution, scale);
    int communities = Louvain.relabel(community);
    if (sentences) {
      return community;
    }
    long[] total = sums(sizes, community, communities);
    int[] family = Merging.of(means(means, sizes, community, total), total, likeness);
    int[] result = new int[community.length];
    for (int g = 0; g < result.length; g++) {
      result[g] = family[community[g]];
    }
    return result;
  }

  private static WeightedGraph fair(WeightedGraph links, double[][] means, Likeness likeness) {
    WeightedGraph.Builder kept = new WeightedGraph.Builder(links.nodes());
    for (int a = 0; a < links.nodes(); a++) {
      for (int e = links.offsets()[a]; e < links.offsets()[a + 1]; e++) {
        int b = links.targets()[e];
        double least = FAIR_SHARE * Math.min(links.strength(a), links.strength(b));
        if (a < b && links.weights()[e] >= least) {
          double cosine = Merging.dot(means[a], means[b]);
          if (cosine >= ALIKE && likeness.holds(cosine, means[a], means[b])) {
            kept.add(a, b, links.weights()[e]);
          }
        }
      }
    }
    WeightedGraph graph = kept.build();
    System.arraycopy(links.loops(), 0, graph.loops(), 0, links.nodes());
    return graph;
  }

  /**
   * Families of which no group stands for itself join the one most like them of those that they
   * have links to and of which some group does.
   *
   * @param familyOf family of each group; changed in place, its numbers not made dense
   * @param links between groups
   * @param stand groups that stand for themselves
   */
  static void join(
      int[] familyOf, WeightedGraph links, double[][] means, long[] sizes, boolean[] stand) {
    int families = Arrays.stream(familyOf).max().orElse(-1) + 1;
    double[][] mean = means(means, sizes, familyOf, sums(sizes, familyOf, families));
    boolean[] stands = new boolean[families];
    int[] into = new int[families];
    for (int g = 0; g < familyOf.length; g++) {
      stands[familyOf[g]] |= stand[g];
      into[familyOf[g]] = familyOf[g];
    }
    double[] best = new double[families];
    for (int g = 0; g < familyOf.length; g++) {
      int own = familyOf[g];
      for (int e = links.offsets()[g]; e < links.offsets()[g + 1] && !stands[own]; e++) {
        int other = familyOf[links.targets()[e]];
        double cosine = stands[other] ? Merging.dot(mean[own], mean[other]) : 0;
        if (cosine > best[own]) {
          best[own] = cosine;
          into[own] = other;
        }
      }
    }
    for (int g = 0; g < familyOf.length; g++) {
      familyOf[g] = into[familyOf[g]];
    }
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
