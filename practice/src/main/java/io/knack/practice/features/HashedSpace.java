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
import java.util.Collection;
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
 * Where groups of texts are known, features that gather in few of them weigh more ({@link
 * Concentration}).
 *
 * <p>A view counts by how much it sees: topics by the length of the projection, words by the share
 * of the text's words that have a vector. A text of strange words in a common sentence is otherwise
 * taken for that sentence.
 *
 * <p>The tables are rounded to bytes when they are learnt, so that a space read from its file
 * computes the same bits as the one that wrote it.
 */
public final class HashedSpace implements TextSpace {
  /** Hash buckets of the sparse block. */
  public static final int BUCKETS = 1 << 16;

  static final int MAGIC = 0x4b4e4632; // KNF2
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

  HashedSpace(float[] gramIdf, float[] wordIdf, Codes topics, Codes words, float[] common) {
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
    return wordIdf[Buckets.of(word)];
  }

  @Override
  public TextVector features(String text) {
    return features(Words.of(text));
  }

  private TextVector features(List<String> tokens) {
    Counts grams = Buckets.grams(tokens);
    int[] indices = grams.keys;
    float[] values = weigh(grams, gramIdf);
    float[] topic = new float[topics.width];
    for (int i = 0; i < indices.length; i++) {
      topics.add(indices[i], values[i], topic);
    }
    float[] word = wordSum(tokens, wordWeights, words);
    Dense.removeDirection(word, common);
    double gram = indices.length == 0 ? 0 : GRAM_WEIGHT;
    double topicWeight = TOPIC_WEIGHT * Math.min(1, Dense.length(topic));
    double wordWeight = WORD_WEIGHT * knownShare(tokens);
    topicWeight = Dense.normalise(topic) ? topicWeight : 0;
    wordWeight = Dense.normalise(word) ? wordWeight : 0;
    double total = gram + topicWeight + wordWeight;
    if (total == 0) {
      return new TextVector(new int[0], new float[0], new float[denseWidth()]);
    }
    Dense.scale(values, Math.sqrt(gram / total));
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
    return fit(texts, Map.of(), seed);
  }

  /**
   * The same, weighing what texts share by how far it gathers in groups that are known already.
   *
   * @param groups of some of the texts, from 0
   */
  public static HashedSpace fit(Collection<String> texts, Map<String, Integer> groups, long seed) {
    List<String> distinct =
        new TreeSet<>(texts).stream().filter(text -> !Words.of(text).isEmpty()).toList();
    SpaceLearner learner = new SpaceLearner(distinct);
    learner.gather(distinct.stream().mapToInt(text -> groups.getOrDefault(text, -1)).toArray());
    return learner.learn(seed);
  }

  // ---------------------------------------------------------------------------------- weighing

  static float[] weigh(Counts grams, float[] idf) {
    float[] values = new float[grams.keys.length];
    for (int i = 0; i < values.length; i++) {
      int count = grams.counts[i];
      values[i] = (count == 1 ? 1 : (float) (1 + StrictMath.log(count))) * idf[grams.keys[i]];
    }
    Dense.normalise(values);
    return values;
  }

  static float[] wordSum(List<String> tokens, float[] weights, Codes words) {
    float[] sum = new float[words.width];
    for (String token : tokens) {
      int bucket = Buckets.of(token);
      words.add(bucket, weights[bucket], sum);
    }
    return sum;
  }

  static float[] wordWeights(float[] wordIdf) {
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
      int bucket = Buckets.of(token);
      double weight = (double) wordWeights[bucket] * wordWeights[bucket];
      all += weight;
      known += words.has(bucket) ? weight : 0;
    }
    return all == 0 ? 0 : known / all;
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
}
