package io.knack.practice.features;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Learns the tables of a {@link HashedSpace} from texts of a log. */
final class SpaceLearner {
  private static final int WINDOW = 10;
  private static final int RANK = 64;
  private static final double BURST_WEIGHT = 4;
  private static final double FEW = 5; // texts below which a burst is no evidence

  private final List<List<String>> documents;
  private final Counts[] grams;
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final float[] gramIdf;
  private final float[] wordIdf;

  /**
   * @param texts each once, in order, none without words
   */
  SpaceLearner(List<String> texts) {
    documents = texts.stream().map(Words::of).toList();
    int n = documents.size();
    grams = new Counts[n];
    int[] gramCount = new int[HashedSpace.BUCKETS];
    int[] wordCount = new int[HashedSpace.BUCKETS];
    int[] gramTotal = new int[HashedSpace.BUCKETS];
    int[] wordTotal = new int[HashedSpace.BUCKETS];
    for (int d = 0; d < n; d++) {
      grams[d] = Buckets.grams(documents.get(d));
      for (int i = 0; i < grams[d].keys.length; i++) {
        gramCount[grams[d].keys[i]]++;
        gramTotal[grams[d].keys[i]] += grams[d].counts[i];
      }
      for (String word : documents.get(d)) {
        wordTotal[Buckets.of(word)]++;
      }
      for (String word : new TreeSet<>(documents.get(d))) {
        wordCount[Buckets.of(word)]++;
        vocabulary.merge(word, 1, Integer::sum);
      }
    }
    gramIdf = weights(gramCount, gramTotal, n);
    wordIdf = weights(wordCount, wordTotal, n);
  }

  /**
   * Weighs features by {@link Concentration} too.
   *
   * @param group of each text; -1 where it is not known
   */
  void gather(int[] group) {
    Concentration.apply(
        gramIdf, Arrays.stream(grams).map(g -> g.keys).toArray(int[][]::new), group);
    Concentration.apply(
        wordIdf,
        documents.stream()
            .map(d -> d.stream().mapToInt(Buckets::of).sorted().distinct().toArray())
            .toArray(int[][]::new),
        group);
  }

  HashedSpace learn(long seed) {
    int n = documents.size();
    int[] gramCount = new int[HashedSpace.BUCKETS];
    for (Counts counts : grams) {
      for (int bucket : counts.keys) {
        gramCount[bucket]++;
      }
    }
    int[][] rows = new int[n][];
    float[][] entries = new float[n][];
    for (int d = 0; d < n; d++) {
      int[] all = grams[d].keys;
      float[] weights = HashedSpace.weigh(grams[d], gramIdf);
      int kept = 0;
      for (int bucket : all) {
        kept += gramCount[bucket] > 1 ? 1 : 0;
      }
      rows[d] = new int[kept];
      entries[d] = new float[kept];
      for (int i = 0, k = 0; i < all.length; i++) {
        if (gramCount[all[i]] > 1) {
          rows[d][k] = all[i];
          entries[d][k++] = weights[i];
        }
      }
    }
    int rank = Math.min(RANK, Math.max(1, n / 8));
    Subspace leading = Subspace.leading(rows, entries, HashedSpace.BUCKETS, rank, seed);
    Codes topics = new Codes(leading.vectors, leading.rank);
    Codes words = wordVectors(documents, vocabulary, rank, seed);
    float[] common = commonDirection(documents, HashedSpace.wordWeights(wordIdf), words);
    return new HashedSpace(gramIdf, wordIdf, topics, words, common);
  }

  private static Codes wordVectors(
      List<List<String>> documents, Map<String, Integer> counts, int rank, long seed) {
    Map<String, Integer> ids = new HashMap<>();
    counts.entrySet().stream()
        .filter(e -> e.getValue() > 1)
        .map(Map.Entry::getKey)
        .sorted()
        .forEach(word -> ids.put(word, ids.size()));
    Map<Long, Float> together = new HashMap<>();
    for (List<String> document : documents) {
      int[] at = document.stream().mapToInt(w -> ids.getOrDefault(w, -1)).toArray();
      for (int i = 0; i < at.length; i++) {
        for (int j = i + 1; j < Math.min(at.length, i + 1 + WINDOW); j++) {
          if (at[i] >= 0 && at[j] >= 0) {
            together.merge((long) at[i] << 32 | at[j], 1f / (j - i), Float::sum);
            together.merge((long) at[j] << 32 | at[i], 1f / (j - i), Float::sum);
          }
        }
      }
    }
    long[] pairs = together.keySet().stream().mapToLong(Long::longValue).sorted().toArray();
    double[] mass = new double[ids.size()];
    for (long pair : pairs) {
      mass[(int) (pair >>> 32)] += count(together, pair);
    }
    double[] smooth = new double[ids.size()]; // context distribution smoothing
    double total = 0;
    for (int i = 0; i < smooth.length; i++) {
      smooth[i] = StrictMath.pow(mass[i], 0.75);
      total += smooth[i];
    }
    int[][] rows = new int[ids.size()][];
    float[][] entries = new float[ids.size()][];
    int next = 0;
    for (int row = 0; row < rows.length; row++) {
      int end = next;
      while (end < pairs.length && (int) (pairs[end] >>> 32) == row) {
        end++;
      }
      int[] columns = new int[end - next];
      float[] information = new float[end - next];
      int kept = 0;
      for (; next < end; next++) {
        int column = (int) pairs[next];
        double pmi =
            StrictMath.log(count(together, pairs[next]) * total / (mass[row] * smooth[column]));
        if (pmi > 0) {
          columns[kept] = column;
          information[kept++] = (float) pmi;
        }
      }
      rows[row] = Arrays.copyOf(columns, kept);
      entries[row] = Arrays.copyOf(information, kept);
    }
    float[] table = new float[HashedSpace.BUCKETS * rank];
    if (!ids.isEmpty()) {
      Subspace space = Subspace.leading(rows, entries, ids.size(), rank, seed + 1);
      float[] vector = new float[space.rank];
      for (Map.Entry<String, Integer> word : ids.entrySet()) {
        int id = word.getValue();
        Subspace.project(rows[id], entries[id], space.vectors, space.rank, vector);
        for (int r = 0; r < space.rank; r++) {
          double singular = space.values[r];
          vector[r] = singular > 1e-6 ? (float) (vector[r] / Math.sqrt(singular)) : 0;
        }
        Dense.normalise(vector);
        int at = Buckets.of(word.getKey()) * rank;
        for (int r = 0; r < space.rank; r++) {
          table[at + r] += vector[r];
        }
      }
    }
    return new Codes(table, rank);
  }

  private static float count(Map<Long, Float> counts, long pair) {
    return counts.getOrDefault(pair, 0f);
  }

  /** The first singular direction of the texts' word sums: what all texts share. */
  private static float[] commonDirection(
      List<List<String>> documents, float[] wordWeights, Codes words) {
    int width = words.width;
    double[][] gram = new double[width][width];
    for (List<String> document : documents) {
      float[] sum = HashedSpace.wordSum(document, wordWeights, words);
      Dense.normalise(sum);
      for (int a = 0; a < width; a++) {
        for (int b = 0; b < width; b++) {
          gram[a][b] += (double) sum[a] * sum[b];
        }
      }
    }
    double[] direction = new double[width];
    Arrays.fill(direction, 1);
    for (int i = 0; i < 100; i++) {
      double[] next = new double[width];
      double norm = 0;
      for (int a = 0; a < width; a++) {
        for (int b = 0; b < width; b++) {
          next[a] += gram[a][b] * direction[b];
        }
        norm += next[a] * next[a];
      }
      if (norm == 0) {
        break;
      }
      for (int a = 0; a < width; a++) {
        direction[a] = next[a] / Math.sqrt(norm);
      }
    }
    float[] common = new float[width];
    for (int a = 0; a < width; a++) {
      common[a] = (float) direction[a];
    }
    Dense.normalise(common);
    return common;
  }

  /**
   * Inverse document frequency, and more for what comes in bursts: residual inverse document
   * frequency (Church and Gale, 1995), that is how much rarer texts with a feature are than its
   * occurrences would be if they fell at random. A name comes twice where it comes at all, filler
   * does not; so a name weighs much even where half of the log is about it.
   *
   * @param counts texts with each feature
   * @param totals occurrences of each feature
   */
  private static float[] weights(int[] counts, int[] totals, int n) {
    float[] weights = new float[HashedSpace.BUCKETS];
    for (int b = 0; b < HashedSpace.BUCKETS; b++) {
      int count = Math.max(1, counts[b]);
      double rarity = StrictMath.log((1.0 + n) / (1.0 + count));
      double atRandom = 1 - StrictMath.exp(-Math.max(count, totals[b]) / (double) n);
      double burst = Math.max(0, StrictMath.log(atRandom * n / count));
      weights[b] = (float) (rarity + BURST_WEIGHT * burst * counts[b] / (counts[b] + FEW));
    }
    return weights;
  }
}
