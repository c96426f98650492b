package io.knack.spark.mine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeSet;

/**
 * Groups that are one problem in other words or another form are put together: average linkage
 * (Sokal and Michener, 1958) among the {@value #NEAR} nearest of each group.
 *
 * <p>Neighbours of texts cannot tell a problem that falls into well separated forms from several
 * problems: in both, nearly all of a text's nearest are of its own form. How alike texts of the two
 * groups are on average can. {@link GroupMeans} give it without looking at pairs: the dot product
 * of two groups' means is the mean over all pairs of a member of one and a member of the other, and
 * the mean of a merged group follows from those of its parts.
 *
 * <p>The nearest groups are found like the nearest texts: by pivots, one for every {@value
 * #OF_A_PIVOT} groups, exactly among groups that share one of their two nearest pivots. Cost: near
 * linear in the groups.
 *
 * <p>How alike strangers are is a sentence encoder's own affair: with one, groups must be alike
 * beyond {@value #SPREADS} times what two groups are by the root of the mean square.
 */
final class Merging {
  private static final int NEAR = 16;
  private static final int OF_A_PIVOT = 500;

  private static final double SPREADS = 4;

  /** Groups that are looked at to see how alike groups are. */
  private static final int LOOKED_AT = 1000;

  private record Pair(double similarity, int a, int b, int versions) {}

  private final double[][] means;
  private final long[] sizes;
  private final int[] into;
  private final int[] version;
  private final List<TreeSet<Integer>> beside;

  /** At which mean cosine groups are one problem. */
  static double floor(double[][] means, MinePlan plan) {
    if (plan.encoder() == null || means.length < 3) {
      return plan.mergeFloor();
    }
    int n = Math.min(means.length, LOOKED_AT);
    double sum = 0;
    for (int a = 1; a < n; a++) {
      for (int b = 0; b < a; b++) {
        double dot =
            dot(
                means[(int) ((long) a * means.length / n)],
                means[(int) ((long) b * means.length / n)]);
        sum += dot * dot;
      }
    }
    return Math.max(plan.mergeFloor(), SPREADS * Math.sqrt(2 * sum / ((double) n * (n - 1))));
  }

  private Merging(double[][] means, long[] sizes) {
    int n = means.length;
    this.means = means.clone();
    this.sizes = sizes.clone();
    this.into = new int[n];
    this.version = new int[n];
    this.beside = new ArrayList<>(n);
    for (int g = 0; g < n; g++) {
      into[g] = g;
      beside.add(new TreeSet<>());
    }
    float[][] vectors = new float[n][];
    for (int g = 0; g < n; g++) {
      vectors[g] = new float[means[g].length];
      for (int r = 0; r < means[g].length; r++) {
        vectors[g][r] = (float) means[g][r];
      }
    }
    int pivots = (n + OF_A_PIVOT - 1) / OF_A_PIVOT;
    float[][] pivot = new float[pivots][];
    List<List<Integer>> around = new ArrayList<>();
    for (int p = 0; p < pivots; p++) {
      pivot[p] = vectors[(int) ((long) p * n / pivots)];
      around.add(new ArrayList<>());
    }
    for (int g = 0; g < n; g++) {
      for (int p : Cell.nearest(vectors[g], pivot, 2)) {
        if (p >= 0) {
          around.get(p).add(g);
        }
      }
    }
    for (List<Integer> some : around) {
      float[][] own = some.stream().map(g -> vectors[g]).toArray(float[][]::new);
      for (int g : some) {
        for (int near : Cell.nearest(vectors[g], own, NEAR + 1)) {
          if (near >= 0 && some.get(near) != g) {
            beside.get(g).add(some.get(near));
            beside.get(some.get(near)).add(g);
          }
        }
      }
    }
  }

  /**
   * The merged group of each group, numbered from 0 by first member.
   *
   * @param means of each group's texts
   * @param sizes members of each group
   * @param likeness of two groups that merge
   */
  static int[] of(double[][] means, long[] sizes, Likeness likeness) {
    int[] merged = new Merging(means, sizes).run(likeness);
    Louvain.relabel(merged);
    return merged;
  }

  private int[] run(Likeness likeness) {
    PriorityQueue<Pair> queue =
        new PriorityQueue<>(
            Comparator.comparingDouble((Pair p) -> -p.similarity)
                .thenComparingInt(Pair::a)
                .thenComparingInt(Pair::b));
    for (int a = 0; a < into.length; a++) {
      for (int b : beside.get(a).tailSet(a, false)) {
        offer(queue, a, b, likeness);
      }
    }
    while (!queue.isEmpty()) {
      Pair next = queue.poll();
      int a = next.a;
      int b = next.b;
      if (into[a] != a || into[b] != b || version[a] + version[b] != next.versions) {
        continue;
      }
      join(a, b);
      for (int other : beside.get(a)) {
        offer(queue, Math.min(a, other), Math.max(a, other), likeness);
      }
    }
    int[] merged = new int[into.length];
    for (int g = 0; g < merged.length; g++) {
      int root = g;
      while (into[root] != root) {
        root = into[root];
      }
      merged[g] = root;
    }
    return merged;
  }

  private void offer(PriorityQueue<Pair> queue, int a, int b, Likeness likeness) {
    double similarity = dot(means[a], means[b]);
    if (likeness.holds(similarity, means[a], sizes[a], means[b], sizes[b])) {
      queue.add(new Pair(similarity, a, b, version[a] + version[b]));
    }
  }

  private void join(int a, int b) {
    double total = (double) sizes[a] + sizes[b];
    double[] mean = new double[means[a].length];
    for (int r = 0; r < mean.length; r++) {
      mean[r] = (means[a][r] * sizes[a] + means[b][r] * sizes[b]) / total;
    }
    means[a] = mean;
    sizes[a] += sizes[b];
    version[a]++;
    into[b] = a;
    for (int other : beside.get(b)) {
      beside.get(other).remove(b);
      if (other != a) {
        beside.get(other).add(a);
        beside.get(a).add(other);
      }
    }
    beside.get(a).remove(b);
    beside.get(b).clear();
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int r = 0; r < a.length; r++) {
      sum += a[r] * b[r];
    }
    return sum;
  }
}
