package io.knack.llm.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.norm.LayerNorm;
import io.knack.llm.checkpoint.Checkpoint;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * An encoder of the BERT family (Devlin et al. 2019) with the pooling that sentence-transformers
 * configures: MiniLM, BGE, E5, their multilingual kin on XLM-R, DistilBERT, MPNet. Texts are
 * encoded as sentence-transformers does without arguments: a prefix such as E5's {@code "query: "}
 * is the caller's. White space at both ends of a text is dropped, as by sentence-transformers up to
 * 5.1; later versions keep it, which the tokenizers of RoBERTa and XLM-R can tell. Computes in
 * fp32. One call at a time.
 *
 * <p>On the CPU a text's vector is the same to the last bit whatever texts it is encoded with: how
 * far it is padded depends on its own length alone, and products are laid out so that a row depends
 * on itself alone (see {@code fuse} in the kernels). What is stored tonight can be compared with
 * what is encoded tomorrow in another batch, and digests over vectors do not depend on batches.
 */
public final class TextEncoder implements AutoCloseable {
  /** Padded tokens in one batch at most: what fits the caches of a core and still fills it. */
  private static final int BATCH_TOKENS = 2048;

  /** Texts are padded to multiples of this; rows of products must be multiples of four. */
  private static final int STEP = 8;

  private static final List<String> PREFIXES =
      List.of("", "bert.", "roberta.", "distilbert.", "mpnet.");

  /** Distances from here on share the last bucket. */
  private static final int FAR = 128;

  private final EncoderConfig config;
  private final EncoderTokenizer tokenizer;
  private final Kernels kernels;
  private final NDArray words;
  private final NDArray positions;
  private final @Nullable NDArray types;
  private final @Nullable NDArray distances;
  private final Norm embeddingNorm;
  private final List<Layer> layers = new ArrayList<>();

  /** y = x W' + b, of one or several projections side by side. */
  private final class Dense {
    private final NDArray weight;
    private final NDArray bias;

    Dense(List<NDArray> weights, List<NDArray> biases) {
      NDManager manager = kernels.manager();
      weight = kernels.tensor(manager, "fuse", weights, kernels.layout(DType.F32).code());
      bias = NDArrays.concat(new NDList(biases));
      bias.attach(manager);
      weights.forEach(NDArray::close);
    }

    NDArray of(NDArray x) {
      return kernels.tensor(x.getManager(), "linear", x, weight, bias);
    }
  }

  private record Norm(NDArray weight, NDArray bias, float epsilon) {
    NDArray of(NDArray x) {
      return LayerNorm.layerNorm(x, weight.getShape(), weight, bias, epsilon).singletonOrThrow();
    }
  }

  private record Layer(
      Dense queryKeyValue,
      Dense attention,
      Norm attentionNorm,
      Dense intermediate,
      Dense output,
      Norm outputNorm) {}

  private TextEncoder(EncoderConfig config, String device) {
    this.config = config;
    Checkpoint checkpoint = Checkpoint.open(config.directory());
    tokenizer = EncoderTokenizer.load(config);
    kernels = Kernels.load(device);
    int d = config.hidden();
    Loader load = new Loader(checkpoint);
    words = load.tensor("embeddings.word_embeddings.weight", config.vocabulary(), d);
    positions = load.tensor("embeddings.position_embeddings.weight", config.positions(), d);
    types =
        config.types() == 0
            ? null
            : load.tensor("embeddings.token_type_embeddings.weight", config.types(), d);
    distances =
        config.buckets() == 0
            ? null
            : load.tensor(
                "encoder.relative_attention_bias.weight", config.buckets(), config.heads());
    embeddingNorm = load.norm("embeddings.LayerNorm");
    for (int i = 0; i < config.layers(); i++) {
      layers.add(load.layer(i));
    }
  }

  private final class Loader {
    private final Checkpoint checkpoint;
    private final String prefix;

    /** A checkpoint with a head on top names its encoder by the family. */
    Loader(Checkpoint checkpoint) {
      this.checkpoint = checkpoint;
      this.prefix =
          PREFIXES.stream()
              .filter(known -> checkpoint.has(known + "embeddings.word_embeddings.weight"))
              .findFirst()
              .orElse("");
    }

    Layer layer(int i) {
      return switch (config.layout()) {
        case BERT ->
            layer(
                "encoder.layer." + i + ".",
                "attention.self.query",
                "attention.self.key",
                "attention.self.value",
                "attention.output.dense",
                "attention.output.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm");
        case MPNET ->
            layer(
                "encoder.layer." + i + ".",
                "attention.attn.q",
                "attention.attn.k",
                "attention.attn.v",
                "attention.attn.o",
                "attention.LayerNorm",
                "intermediate.dense",
                "output.dense",
                "output.LayerNorm");
        case DISTILBERT ->
            layer(
                "transformer.layer." + i + ".",
                "attention.q_lin",
                "attention.k_lin",
                "attention.v_lin",
                "attention.out_lin",
                "sa_layer_norm",
                "ffn.lin1",
                "ffn.lin2",
                "output_layer_norm");
      };
    }

    /**
     * @param names query, key and value, then in the order of {@link Layer}
     */
    private Layer layer(String at, String... names) {
      int d = config.hidden();
      return new Layer(
          dense(d, d, at + names[0], at + names[1], at + names[2]),
          dense(d, d, at + names[3]),
          norm(at + names[4]),
          dense(config.intermediate(), d, at + names[5]),
          dense(d, config.intermediate(), at + names[6]),
          norm(at + names[7]));
    }

    NDArray tensor(String name, long... shape) {
      return checkpoint.load(kernels, kernels.manager(), prefix + name, DType.F32, shape);
    }

    Dense dense(long out, long in, String... names) {
      return new Dense(
          Arrays.stream(names).map(name -> tensor(name + ".weight", out, in)).toList(),
          Arrays.stream(names).map(name -> tensor(name + ".bias", out)).toList());
    }

    Norm norm(String name) {
      return new Norm(
          tensor(name + ".weight", config.hidden()),
          tensor(name + ".bias", config.hidden()),
          (float) config.epsilon());
    }
  }

  /**
   * Loads a checkpoint directory.
   *
   * @param device {@code cpu}, {@code cuda} or {@code cuda:N}
   * @throws io.knack.contracts.stage.ContractException naming what is missing, wrong or not
   *     supported
   */
  public static TextEncoder load(Path directory, String device) {
    return new TextEncoder(EncoderConfig.of(directory), device);
  }

  /** Length of a vector. */
  public int dimension() {
    return config.hidden();
  }

  /**
   * A digest of what makes vectors: the weights, the tokenizer, and what configures them. Two
   * directories with the same digest give the same vectors, whatever else lies in them.
   *
   * @throws io.knack.contracts.stage.ContractException when there is no encoder
   */
  public static String digest(Path directory) {
    return EncoderFiles.digest(directory);
  }

  /** One vector a text, in their order. Texts of like length share a batch. */
  public List<float[]> embed(List<String> texts) {
    List<List<Integer>> ids = texts.stream().map(tokenizer::ids).toList();
    List<Integer> order =
        IntStream.range(0, ids.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> -ids.get(i).size()))
            .toList();
    float[][] vectors = new float[ids.size()][];
    for (int at = 0; at < order.size(); ) {
      int padded = padded(ids.get(order.get(at)));
      int most = Math.min(order.size(), at + Math.max(1, BATCH_TOKENS / padded));
      int stop = at + 1;
      while (stop < most && padded(ids.get(order.get(stop))) == padded) {
        stop++;
      }
      List<Integer> batch = order.subList(at, stop);
      float[][] some = batch(batch.stream().map(ids::get).toList(), padded);
      for (int i = 0; i < some.length; i++) {
        vectors[batch.get(i)] = some[i];
      }
      at = stop;
    }
    return Arrays.asList(vectors);
  }

  private static int padded(List<Integer> ids) {
    return STEP * Math.max(1, (ids.size() + STEP - 1) / STEP);
  }

  private float[][] batch(List<List<Integer>> texts, int longest) {
    int size = texts.size();
    long[] padded = new long[size * longest];
    long[] places = new long[size * longest];
    float[] present = new float[size * longest];
    for (int i = 0; i < size; i++) {
      int place = config.unplaced();
      for (int j = 0; j < texts.get(i).size(); j++) {
        int id = texts.get(i).get(j);
        padded[i * longest + j] = id;
        places[i * longest + j] = id == config.unplaced() ? id : ++place;
        present[i * longest + j] = 1;
      }
    }
    try (NDManager manager = kernels.manager().newSubManager();
        NDScope scope = new NDScope()) {
      scope.suppressNotUsedWarning();
      NDArray ids = manager.create(padded, new Shape(size, longest)); // (B, T)
      NDArray at = manager.create(places, new Shape(size, longest)); // (B, T)
      NDArray mask = manager.create(present, new Shape(size, longest)); // (B, T)
      NDArray hidden = transform(ids, at, mask); // (B, T, d)
      float[] all = pool(hidden, mask).toFloatArray(); // (B, d)
      float[][] split = new float[size][];
      for (int i = 0; i < size; i++) {
        split[i] = Arrays.copyOfRange(all, i * config.hidden(), (i + 1) * config.hidden());
        if (config.scaling() == EncoderConfig.Scaling.NORMALIZED) {
          normalise(split[i]);
        }
      }
      return split;
    }
  }

  /** Here and not in the engine, whose sum over one vector is another than over one of several. */
  private static void normalise(float[] vector) {
    double square = 0;
    for (float value : vector) {
      square += (double) value * value;
    }
    double length = Math.max(1e-12, Math.sqrt(square));
    for (int r = 0; r < vector.length; r++) {
      vector[r] = (float) (vector[r] / length);
    }
  }

  private NDArray transform(NDArray ids, NDArray at, NDArray mask) {
    int d = config.hidden();
    long size = ids.getShape().get(0);
    long longest = ids.getShape().get(1);
    int width = d / config.heads();
    NDManager manager = ids.getManager();
    NDArray sum = look(ids, words).add(look(at, positions)); // (B, T, d)
    if (types != null) {
      sum = sum.add(look(manager.zeros(new Shape(1), DataType.INT64), types));
    }
    NDArray x = embeddingNorm.of(sum); // (B, T, d)
    NDArray hidden = mask.sub(1).mul(1e30f).reshape(size, 1, 1, longest); // 0 or far below
    if (distances != null) {
      NDArray bucket = manager.create(buckets((int) longest), new Shape(longest, longest));
      hidden = hidden.add(look(bucket, distances).transpose(2, 0, 1).expandDims(0)); // (B, h, T, T)
    }
    double scale = 1 / Math.sqrt(width);
    for (Layer layer : layers) {
      NDArray all =
          layer
              .queryKeyValue()
              .of(x.reshape(-1, d)) // (B T, 3 d)
              .reshape(size, longest, 3L * config.heads(), width)
              .transpose(0, 2, 1, 3); // (B, 3 h, T, k)
      NDList parts = all.split(3, 1); // query, key, value: (B, h, T, k)
      NDArray weights =
          inOrder(parts.get(0).mul(scale))
              .matMul(inOrder(parts.get(1)).transpose(0, 1, 3, 2))
              .add(hidden)
              .softmax(-1); // (B, h, T, T)
      NDArray mixed = weights.matMul(inOrder(parts.get(2))).transpose(0, 2, 1, 3); // (B, T, h, k)
      NDArray rows = layer.attention().of(mixed.reshape(-1, d)); // (B T, d)
      NDArray seen = layer.attentionNorm().of(rows.add(x.reshape(-1, d))); // (B T, d)
      NDArray inner = Activation.gelu(layer.intermediate().of(seen)); // (B T, intermediate)
      x = layer.outputNorm().of(layer.output().of(inner).add(seen)).reshape(size, longest, d);
    }
    return x;
  }

  /** Else a single text's parts are multiplied where they lie, and those of several as copies. */
  private NDArray inOrder(NDArray x) {
    return kernels.tensor(x.getManager(), "in_order", x);
  }

  /** Row by row, the bucket of each key's distance from a query, as T5 counts them both ways. */
  private long[] buckets(int length) {
    int half = config.buckets() / 2;
    int exact = half / 2;
    long[] buckets = new long[length * length];
    for (int i = 0; i < length; i++) {
      for (int j = 0; j < length; j++) {
        int distance = Math.abs(i - j);
        int bucket = distance;
        if (distance >= exact) {
          double over = Math.log((float) distance / exact) / Math.log((double) FAR / exact);
          bucket = Math.min(half - 1, exact + (int) (over * (half - exact)));
        }
        buckets[i * length + j] = (long) bucket + (j > i ? half : 0);
      }
    }
    return buckets;
  }

  private static NDArray look(NDArray ids, NDArray table) {
    return Embedding.embedding(ids, table, SparseFormat.DENSE).singletonOrThrow();
  }

  private NDArray pool(NDArray hidden, NDArray mask) {
    if (config.pooling() == EncoderConfig.Pooling.CLS) {
      return hidden.get(new NDIndex(":, 0"));
    }
    NDArray present = mask.expandDims(2); // (B, T, 1)
    return hidden.mul(present).sum(new int[] {1}).div(present.sum(new int[] {1}).maximum(1e-9f));
  }

  @Override
  public void close() {
    kernels.close();
    tokenizer.close();
  }
}
