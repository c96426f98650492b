package io.knack.practice.features;

import io.knack.contracts.Manifest;
import io.knack.contracts.SparseVector;
import io.knack.contracts.store.Digests;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sentence vectors of an encoder, less their mean in the log.
 *
 * <p>Encoders put all texts into a narrow cone, so that even strangers have a high cosine; without
 * the mean, strangers are near zero (Mu and Viswanath, "All-but-the-Top", 2018) and the floors of
 * mining mean what they mean in the hashed space. The words of that space still name clusters. A
 * file names its encoder by name and digest, see {@link Encoders}, and is of no use with another.
 */
public final class EncodedSpace implements TextSpace {
  static final int MAGIC = 0x4b4e4532; // KNE2

  /** Vectors kept in memory of texts that are not in the cache: a problem is routed many times. */
  private static final int RECENT = 10_000;

  private final SentenceEncoder encoder;
  private final float[] mean;
  private final HashedSpace words;
  private final String digest;
  private final @Nullable VectorCache cache;
  private final Map<String, float[]> recent =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, float[]> eldest) {
          return size() > RECENT;
        }
      };

  private EncodedSpace(
      SentenceEncoder encoder, float[] mean, HashedSpace words, @Nullable VectorCache cache) {
    this.encoder = encoder;
    this.mean = mean;
    this.words = words;
    this.cache = cache;
    this.digest = Digests.sha256(encoder.digest() + "\n" + digest(mean) + "\n" + words.digest());
  }

  /**
   * Learns the mean and the words of a log.
   *
   * @param texts a sample; order and repetitions do not matter
   * @param vectors of the texts, as the encoder gives them
   */
  public static EncodedSpace fit(
      SentenceEncoder encoder, List<String> texts, List<float[]> vectors, long seed) {
    double[] sum = new double[vectors.get(0).length];
    for (float[] vector : vectors) {
      for (int r = 0; r < sum.length; r++) {
        sum[r] += vector[r];
      }
    }
    float[] mean = new float[sum.length];
    for (int r = 0; r < mean.length; r++) {
      mean[r] = (float) (sum[r] / vectors.size());
    }
    return new EncodedSpace(encoder, mean, HashedSpace.fit(texts, seed), null);
  }

  /** The same space, looking vectors up before it encodes. */
  public EncodedSpace with(VectorCache vectors) {
    return new EncodedSpace(encoder, mean, words, vectors);
  }

  public SentenceEncoder encoder() {
    return encoder;
  }

  @Override
  public Manifest.Encoder encoderRef() {
    return new Manifest.Encoder(encoder.name(), encoder.digest());
  }

  /** Where vectors are looked up; null where none are. */
  public @Nullable VectorCache cache() {
    return cache;
  }

  @Override
  public TextVector features(String text) {
    return featuresOf(List.of(text)).get(0);
  }

  @Override
  public List<TextVector> featuresOf(List<String> texts) {
    return encoded(texts).stream().map(this::centred).toList();
  }

  private TextVector centred(float[] vector) {
    float[] dense = new float[mean.length];
    for (int r = 0; r < dense.length; r++) {
      dense[r] = vector[r] - mean[r];
    }
    normalise(dense);
    return new TextVector(new int[0], new float[0], dense);
  }

  /** From the cache, from memory, and what is in neither together in one batch. */
  private List<float[]> encoded(List<String> texts) {
    float[][] vectors = new float[texts.size()][];
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < vectors.length; i++) {
      float[] found = cache == null ? null : cache.find(texts.get(i));
      if (found == null) {
        synchronized (recent) {
          found = recent.get(texts.get(i));
        }
      }
      if (found == null) {
        missing.add(i);
      } else {
        vectors[i] = found;
      }
    }
    if (!missing.isEmpty()) {
      List<float[]> made = encoder.embed(missing.stream().map(texts::get).toList());
      synchronized (recent) {
        for (int m = 0; m < missing.size(); m++) {
          vectors[missing.get(m)] = made.get(m);
          recent.put(texts.get(missing.get(m)), made.get(m));
        }
      }
    }
    return List.of(vectors);
  }

  @Override
  public SparseVector vector(String text) {
    return features(text).toSparse();
  }

  @Override
  public List<SparseVector> vectors(List<String> texts) {
    return featuresOf(texts).stream().map(TextVector::toSparse).toList();
  }

  @Override
  public double similarity(SparseVector a, SparseVector b) {
    return words.similarity(a, b);
  }

  /** Covers the encoder's content, and not where it lies. */
  @Override
  public String digest() {
    return digest;
  }

  @Override
  public int denseWidth() {
    return mean.length;
  }

  @Override
  public double rarity(String word) {
    return words.rarity(word);
  }

  @Override
  public void save(Path file) {
    SpaceFiles.save(this, file);
  }

  @Override
  public byte[] bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(MAGIC);
      out.writeUTF(encoder.name());
      out.writeUTF(encoder.digest());
      SpaceFiles.writeFloats(out, mean);
      out.write(words.bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** After the magic number. */
  static EncodedSpace read(DataInputStream in, Encoders encoders) throws IOException {
    SentenceEncoder encoder = encoders.find(in.readUTF(), in.readUTF());
    float[] mean = SpaceFiles.readFloats(in);
    in.readInt(); // the hashed space's own magic number
    return new EncodedSpace(
        encoder, mean, HashedSpace.read(in), encoders.vectors(encoder.digest()));
  }

  private static String digest(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return Digests.sha256(bytes.array());
  }

  static void normalise(float[] vector) {
    double square = 0;
    for (float value : vector) {
      square += (double) value * value;
    }
    double scale = square < 1e-12 ? 0 : 1 / Math.sqrt(square);
    for (int r = 0; r < vector.length; r++) {
      vector[r] = (float) (vector[r] * scale);
    }
  }
}
