package io.knack.practice.features;

import io.knack.contracts.SparseVector;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The feature space that mining learns from a log.
 *
 * <p>Three views of a text, each of length one before it is weighted, side by side in one vector:
 *
 * <ol>
 *   <li>character 3-, 4- and 5-grams over word boundaries, TF-IDF, hashed to 2^16: tells rare names
 *       apart, forgives inflection and typing, and needs no words;
 *   <li>the same n-grams projected to their leading singular directions in the log (latent semantic
 *       analysis): what keeps company in a text;
 *   <li>the sum of word vectors learnt from the log: singular vectors of the positive pointwise
 *       mutual information of words within ten of each other (Levy and Goldberg, 2014), weighted by
 *       inverse document frequency to the power 1.5, less the first common direction (Arora et al.,
 *       2017).
 * </ol>
 *
 * A view counts by how much it sees: topics by the length of the projection, words by the share of
 * the text's words that have a vector. A text of strange words in a common sentence is otherwise
 * taken for that sentence.
 *
 * <p>The tables are rounded to bytes when they are learnt, so that a space read from its file
 * computes the same bits as the one that wrote it.
 */
public final class HashedSpace implements TextSpace {
  /** Hash buckets of the sparse block. */
  public static final int BUCKETS = 1 << 16;

  static final int MAGIC = 0x4b4e4632; // KNF2
  private static final int WINDOW = 10;
  private static final int RANK = 64;
  private static final double BURST_WEIGHT = 4;
  private static final double FEW = 5; // texts below which a burst is no evidence
  private static final double GRAM_WEIGHT = 1;
  private static final double TOPIC_WEIGHT = 1;
  private static final double WORD_WEIGHT = 1;
  private static final double WORD_IDF_POWER = 1.5; // words that go together add up, names do not

  private final float[] gramIdf; // (BUCKETS)
  private final float[] wordIdf; // (BUCKETS)
  private final float[] wordWeights; // (BUCKETS)
  private final Codes topics; // (BUCKETS, topic width)
  private final Codes words; // (BUCKETS, word width)
  private final float[] common; // (word width)
  private final String digest;

  private HashedSpace(float[] gramIdf, float[] wordIdf, Codes topics, Codes words, float[] common) {
    this.gramIdf = gramIdf;
    this.wordIdf = wordIdf;
    this.wordWeights = wordWeights(wordIdf);
    this.topics = topics;
    this.words = words;
    this.common = common;
    this.digest = sha256(bytes());
  }

  @Override
  public int denseWidth() {
    return topics.width + words.width;
  }

  @Override
  public String digest() {
    return digest;
  }

  @Override
  public SparseVector vector(String text) {
    return features(text).toSparse();
  }

  @Override
  public double similarity(SparseVector a, SparseVector b) {
    return Math.max(0, Math.min(1, a.dot(b)));
  }

  /** Inverse document frequency. */
  @Override
  public double rarity(String word) {
    return wordIdf[bucket(word)];
  }

  @Override
  public TextVector features(String text) {
    return features(Words.of(text));
  }

  private TextVector features(List<String> tokens) {
    Counts grams = grams(tokens);
    int[] indices = grams.keys;
    float[] values = weigh(grams, gramIdf);
    float[] topic = new float[topics.width];
    for (int i = 0; i < indices.length; i++) {
      topics.add(indices[i], values[i], topic);
    }
    float[] word = wordSum(tokens, wordWeights, words);
    removeDirection(word, common);
    double gram = indices.length == 0 ? 0 : GRAM_WEIGHT;
    double topicWeight = TOPIC_WEIGHT * Math.min(1, length(topic));
    double wordWeight = WORD_WEIGHT * knownShare(tokens);
    topicWeight = normalise(topic) ? topicWeight : 0;
    wordWeight = normalise(word) ? wordWeight : 0;
    double total = gram + topicWeight + wordWeight;
    if (total == 0) {
      return new TextVector(new int[0], new float[0], new float[denseWidth()]);
    }
    scale(values, Math.sqrt(gram / total));
    float[] dense = new float[denseWidth()];
    float topicScale = (float) Math.sqrt(topicWeight / total);
    for (int i = 0; i < topic.length; i++) {
      dense[i] = topic[i] * topicScale;
    }
    float wordScale = (float) Math.sqrt(wordWeight / total);
    for (int i = 0; i < word.length; i++) {
      dense[topic.length + i] = word[i] * wordScale;
    }
    return new TextVector(indices, values, dense);
  }

  // ---------------------------------------------------------------------------------- learning

  /**
   * Learns a space from texts of a log. Their order and repetitions do not matter; cost is linear
   * in their length, so pass a sample of some ten thousands.
   */
  public static HashedSpace fit(Collection<String> texts, long seed) {
    List<List<String>> documents =
        new TreeSet<>(texts).stream().map(Words::of).filter(d -> !d.isEmpty()).toList();
    int n = documents.size();
    int[] gramCount = new int[BUCKETS];
    int[] wordCount = new int[BUCKETS];
    int[] gramTotal = new int[BUCKETS];
    int[] wordTotal = new int[BUCKETS];
    Counts[] grams = new Counts[n];
    Map<String, Integer> vocabulary = new HashMap<>();
    for (int d = 0; d < n; d++) {
      grams[d] = grams(documents.get(d));
      for (int i = 0; i < grams[d].keys.length; i++) {
        gramCount[grams[d].keys[i]]++;
        gramTotal[grams[d].keys[i]] += grams[d].counts[i];
      }
      for (String word : documents.get(d)) {
        wordTotal[bucket(word)]++;
      }
      for (String word : new TreeSet<>(documents.get(d))) {
        wordCount[bucket(word)]++;
        vocabulary.merge(word, 1, Integer::sum);
      }
    }
    float[] gramIdf = weights(gramCount, gramTotal, n);
    float[] wordIdf = weights(wordCount, wordTotal, n);

    int[][] rows = new int[n][];
    float[][] entries = new float[n][];
    for (int d = 0; d < n; d++) {
      int[] all = grams[d].keys;
      float[] weights = weigh(grams[d], gramIdf);
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
    Subspace leading = Subspace.leading(rows, entries, BUCKETS, rank, seed);
    Codes topics = new Codes(leading.vectors, leading.rank);
    Codes words = wordVectors(documents, vocabulary, rank, seed);
    float[] common = commonDirection(documents, wordWeights(wordIdf), words);
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
    float[] table = new float[BUCKETS * rank];
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
        normalise(vector);
        int at = bucket(word.getKey()) * rank;
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
      float[] sum = wordSum(document, wordWeights, words);
      normalise(sum);
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
    normalise(common);
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
    float[] weights = new float[BUCKETS];
    for (int b = 0; b < BUCKETS; b++) {
      int count = Math.max(1, counts[b]);
      double rarity = StrictMath.log((1.0 + n) / (1.0 + count));
      double atRandom = 1 - StrictMath.exp(-Math.max(count, totals[b]) / (double) n);
      double burst = Math.max(0, StrictMath.log(atRandom * n / count));
      weights[b] = (float) (rarity + BURST_WEIGHT * burst * counts[b] / (counts[b] + FEW));
    }
    return weights;
  }

  // ---------------------------------------------------------------------------------- counting

  private static Counts grams(List<String> tokens) {
    StringBuilder text = new StringBuilder(" ");
    for (String token : tokens) {
      text.append(token).append(' ');
    }
    int[] buckets = new int[text.length() * 3];
    int next = 0;
    for (int start = 0; start < text.length(); start++) {
      long hash = 0xcbf29ce484222325L;
      for (int length = 1; length <= 5 && start + length <= text.length(); length++) {
        hash = (hash ^ text.charAt(start + length - 1)) * 0x100000001b3L;
        if (length >= 3) {
          buckets[next++] = fold(hash + length);
        }
      }
    }
    return Counts.of(buckets, next);
  }

  private static int bucket(String word) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < word.length(); i++) {
      hash = (hash ^ word.charAt(i)) * 0x100000001b3L;
    }
    return fold(hash);
  }

  /** The finaliser of MurmurHash3, folded to a bucket. */
  private static int fold(long hash) {
    long h = hash;
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return (int) ((h ^ (h >>> 33)) & (BUCKETS - 1));
  }

  private static float[] weigh(Counts grams, float[] idf) {
    float[] values = new float[grams.keys.length];
    for (int i = 0; i < values.length; i++) {
      int count = grams.counts[i];
      values[i] = (count == 1 ? 1 : (float) (1 + StrictMath.log(count))) * idf[grams.keys[i]];
    }
    normalise(values);
    return values;
  }

  private static float[] wordSum(List<String> tokens, float[] weights, Codes words) {
    float[] sum = new float[words.width];
    for (String token : tokens) {
      int bucket = bucket(token);
      words.add(bucket, weights[bucket], sum);
    }
    return sum;
  }

  private static float[] wordWeights(float[] wordIdf) {
    float[] weights = new float[wordIdf.length];
    for (int b = 0; b < weights.length; b++) {
      weights[b] = (float) StrictMath.pow(wordIdf[b], WORD_IDF_POWER);
    }
    return weights;
  }

  /** The share of the words, by the square of their weights, that have a vector. */
  private double knownShare(List<String> tokens) {
    double known = 0;
    double all = 0;
    for (String token : tokens) {
      int bucket = bucket(token);
      double weight = (double) wordWeights[bucket] * wordWeights[bucket];
      all += weight;
      known += words.has(bucket) ? weight : 0;
    }
    return all == 0 ? 0 : known / all;
  }

  private static double length(float[] vector) {
    double square = 0;
    for (float value : vector) {
      square += (double) value * value;
    }
    return Math.sqrt(square);
  }

  private static void removeDirection(float[] vector, float[] direction) {
    if (!normalise(vector)) {
      return;
    }
    float dot = 0;
    for (int i = 0; i < vector.length; i++) {
      dot += vector[i] * direction[i];
    }
    for (int i = 0; i < vector.length; i++) {
      vector[i] -= dot * direction[i];
    }
  }

  private static boolean normalise(float[] vector) {
    double square = 0;
    for (float v : vector) {
      square += (double) v * v;
    }
    if (square < 1e-12) {
      Arrays.fill(vector, 0);
      return false;
    }
    scale(vector, 1 / Math.sqrt(square));
    return true;
  }

  private static void scale(float[] vector, double by) {
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (vector[i] * by);
    }
  }

  // ---------------------------------------------------------------------------------- the file

  @Override
  public void save(Path file) {
    SpaceFiles.save(this, file);
  }

  /** Reads {@link #bytes} after the magic number. */
  static HashedSpace read(DataInputStream in) throws IOException {
    float[] gramIdf = SpaceFiles.readFloats(in);
    float[] wordIdf = SpaceFiles.readFloats(in);
    Codes topics = Codes.read(in);
    Codes words = Codes.read(in);
    return new HashedSpace(gramIdf, wordIdf, topics, words, SpaceFiles.readFloats(in));
  }

  @Override
  public byte[] bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(MAGIC);
      SpaceFiles.writeFloats(out, gramIdf);
      SpaceFiles.writeFloats(out, wordIdf);
      topics.write(out);
      words.write(out);
      SpaceFiles.writeFloats(out, common);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public String toString() {
    return "HashedSpace[" + digest.substring(0, 12) + ", " + denseWidth() + " dense]";
  }

  /** A table of vectors, one for each bucket, a byte for each number and a scale for each row. */
  private static final class Codes {
    final int width;
    private final byte[] codes;
    private final float[] scales;
    private final float[] values;

    Codes(float[] table, int width) {
      this(encode(table, width), scales(table, width), width);
    }

    private Codes(byte[] codes, float[] scales, int width) {
      this.width = width;
      this.codes = codes;
      this.scales = scales;
      this.values = new float[codes.length];
      for (int i = 0; i < codes.length; i++) {
        values[i] = codes[i] * scales[i / width];
      }
    }

    boolean has(int bucket) {
      return scales[bucket] != 0;
    }

    void add(int bucket, float weight, float[] into) {
      if (scales[bucket] == 0) {
        return;
      }
      int at = bucket * width;
      for (int r = 0; r < width; r++) {
        into[r] += weight * values[at + r];
      }
    }

    private static float[] scales(float[] table, int width) {
      float[] scales = new float[table.length / width];
      for (int i = 0; i < table.length; i++) {
        scales[i / width] = Math.max(scales[i / width], Math.abs(table[i]) / 127);
      }
      return scales;
    }

    private static byte[] encode(float[] table, int width) {
      float[] scales = scales(table, width);
      byte[] codes = new byte[table.length];
      for (int i = 0; i < table.length; i++) {
        float scale = scales[i / width];
        codes[i] = scale == 0 ? 0 : (byte) Math.round(table[i] / scale);
      }
      return codes;
    }

    void write(DataOutputStream out) throws IOException {
      out.writeInt(width);
      SpaceFiles.writeFloats(out, scales);
      out.write(codes);
    }

    static Codes read(DataInputStream in) throws IOException {
      int width = in.readInt();
      float[] scales = SpaceFiles.readFloats(in);
      byte[] codes = new byte[scales.length * width];
      in.readFully(codes);
      return new Codes(codes, scales, width);
    }
  }

  /** The buckets that occur, ascending, and how often each does. */
  private static final class Counts {
    private static final int BYTE = 1 << 8;

    private final int[] keys;
    private final int[] counts;

    private Counts(int[] keys, int[] counts) {
      this.keys = keys;
      this.counts = counts;
    }

    /** Of the first n buckets. */
    static Counts of(int[] buckets, int n) {
      int[] sorted = byByte(byByte(buckets, n, 0), n, 8);
      int[] counts = new int[n];
      int size = 0;
      for (int i = 0; i < n; i++) {
        if (size == 0 || sorted[size - 1] != sorted[i]) {
          sorted[size++] = sorted[i];
        }
        counts[size - 1]++;
      }
      return new Counts(Arrays.copyOf(sorted, size), Arrays.copyOf(counts, size));
    }

    /** One pass of a radix sort: stable, by the byte that begins at a bit. */
    private static int[] byByte(int[] buckets, int n, int bit) {
      int[] starts = new int[BYTE + 1];
      for (int i = 0; i < n; i++) {
        starts[(buckets[i] >>> bit & BYTE - 1) + 1]++;
      }
      for (int b = 0; b < BYTE; b++) {
        starts[b + 1] += starts[b];
      }
      int[] sorted = new int[n];
      for (int i = 0; i < n; i++) {
        sorted[starts[buckets[i] >>> bit & BYTE - 1]++] = buckets[i];
      }
      return sorted;
    }
  }
}
