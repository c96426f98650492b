package io.knack.llm.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import io.knack.llm.checkpoint.Checkpoint;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An encoder of the BERT family (Devlin et al. 2019) with the pooling that sentence-transformers
 * configures: MiniLM, BGE, E5 and what shares their shape. Texts are encoded as given: a prefix
 * such as E5's {@code "query: "} is the caller's. Computes in fp32. One call at a time.
 */
public final class TextEncoder implements AutoCloseable {
  /** Padded tokens in one batch at most. */
  private static final int BATCH_TOKENS = 8192;

  private final EncoderConfig config;
  private final Tokenizer tokenizer;
  private final Kernels kernels;
  private final NDArray words;
  private final NDArray positions;
  private final NDArray types;
  private final Norm embeddingNorm;
  private final List<Layer> layers = new ArrayList<>();

  /** y = x W' + b. */
  private record Dense(NDArray weight, NDArray bias) {
    NDArray of(NDArray x) {
      return Linear.linear(x, weight, bias).singletonOrThrow();
    }
  }

  private record Norm(NDArray weight, NDArray bias, float epsilon) {
    NDArray of(NDArray x) {
      return LayerNorm.layerNorm(x, weight.getShape(), weight, bias, epsilon).singletonOrThrow();
    }
  }

  private record Layer(
      Dense query,
      Dense key,
      Dense value,
      Dense attention,
      Norm attentionNorm,
      Dense intermediate,
      Dense output,
      Norm outputNorm) {}

  private TextEncoder(Path directory, String device) {
    config = EncoderConfig.of(directory);
    Checkpoint checkpoint = Checkpoint.open(directory);
    tokenizer = Tokenizer.load(directory);
    kernels = Kernels.load(device);
    String prefix = checkpoint.has("bert.embeddings.word_embeddings.weight") ? "bert." : "";
    int d = config.hidden();
    Loader load = new Loader(checkpoint, prefix);
    words = load.tensor("embeddings.word_embeddings.weight", config.vocabulary(), d);
    positions = load.tensor("embeddings.position_embeddings.weight", config.positions(), d);
    types = load.tensor("embeddings.token_type_embeddings.weight", config.types(), d);
    embeddingNorm = load.norm("embeddings.LayerNorm");
    for (int i = 0; i < config.layers(); i++) {
      String layer = "encoder.layer." + i + ".";
      layers.add(
          new Layer(
              load.dense(layer + "attention.self.query", d, d),
              load.dense(layer + "attention.self.key", d, d),
              load.dense(layer + "attention.self.value", d, d),
              load.dense(layer + "attention.output.dense", d, d),
              load.norm(layer + "attention.output.LayerNorm"),
              load.dense(layer + "intermediate.dense", config.intermediate(), d),
              load.dense(layer + "output.dense", d, config.intermediate()),
              load.norm(layer + "output.LayerNorm")));
    }
  }

  private final class Loader {
    private final Checkpoint checkpoint;
    private final String prefix;

    Loader(Checkpoint checkpoint, String prefix) {
      this.checkpoint = checkpoint;
      this.prefix = prefix;
    }

    NDArray tensor(String name, long... shape) {
      return checkpoint.load(kernels, kernels.manager(), prefix + name, DType.F32, shape);
    }

    Dense dense(String name, long out, long in) {
      return new Dense(tensor(name + ".weight", out, in), tensor(name + ".bias", out));
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
    return new TextEncoder(directory, device);
  }

  /** Length of a vector. */
  public int dimension() {
    return config.hidden();
  }

  /** One vector a text, in their order. Texts of like length share a batch. */
  public List<float[]> embed(List<String> texts) {
    List<List<Integer>> ids = texts.stream().map(this::ids).toList();
    List<Integer> order =
        IntStream.range(0, ids.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> -ids.get(i).size()))
            .toList();
    float[][] vectors = new float[ids.size()][];
    for (int at = 0; at < order.size(); ) {
      int longest = Math.max(1, ids.get(order.get(at)).size());
      int stop = Math.min(order.size(), at + Math.max(1, BATCH_TOKENS / longest));
      List<Integer> batch = order.subList(at, stop);
      float[][] some = batch(batch.stream().map(ids::get).toList(), longest);
      for (int i = 0; i < some.length; i++) {
        vectors[batch.get(i)] = some[i];
      }
      at = stop;
    }
    return Arrays.asList(vectors);
  }

  private List<Integer> ids(String text) {
    List<Integer> ids = tokenizer.encode(text, Tokenizer.Specials.ADDED);
    if (ids.size() <= config.maxTokens()) {
      return ids;
    }
    List<Integer> cut = new ArrayList<>(ids.subList(0, config.maxTokens() - 1));
    cut.add(ids.get(ids.size() - 1)); // [SEP] stays the last.
    return cut;
  }

  private float[][] batch(List<List<Integer>> texts, int longest) {
    int size = texts.size();
    long[] padded = new long[size * longest];
    float[] present = new float[size * longest];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < texts.get(i).size(); j++) {
        padded[i * longest + j] = texts.get(i).get(j);
        present[i * longest + j] = 1;
      }
    }
    try (NDManager manager = kernels.manager().newSubManager();
        NDScope scope = new NDScope()) {
      scope.suppressNotUsedWarning();
      NDArray ids = manager.create(padded, new Shape(size, longest)); // (B, T)
      NDArray mask = manager.create(present, new Shape(size, longest)); // (B, T)
      NDArray hidden = transform(ids, mask); // (B, T, d)
      NDArray vectors = pool(hidden, mask); // (B, d)
      if (config.scaling() == EncoderConfig.Scaling.NORMALIZED) {
        NDArray length = vectors.norm(new int[] {1}, true).maximum(1e-12f); // (B, 1)
        vectors = vectors.div(length);
      }
      float[] all = vectors.toFloatArray();
      float[][] split = new float[size][];
      for (int i = 0; i < size; i++) {
        split[i] = Arrays.copyOfRange(all, i * config.hidden(), (i + 1) * config.hidden());
      }
      return split;
    }
  }

  private NDArray transform(NDArray ids, NDArray mask) {
    int d = config.hidden();
    long size = ids.getShape().get(0);
    long longest = ids.getShape().get(1);
    int width = d / config.heads();
    NDManager manager = ids.getManager();
    NDArray at = manager.arange(0, (int) longest, 1, DataType.INT64); // (T)
    NDArray none = manager.zeros(new Shape(1), DataType.INT64); // (1)
    NDArray x =
        embeddingNorm.of(
            look(ids, words).add(look(at, positions)).add(look(none, types))); // (B, T, d)
    NDArray hidden = mask.sub(1).mul(1e30f).reshape(size, 1, 1, longest); // 0 or far below
    double scale = 1 / Math.sqrt(width);
    for (Layer layer : layers) {
      NDArray query = heads(layer.query().of(x), width).mul(scale); // (B, h, T, k)
      NDArray key = heads(layer.key().of(x), width); // (B, h, T, k)
      NDArray value = heads(layer.value().of(x), width); // (B, h, T, k)
      NDArray weights =
          query.matMul(key.transpose(0, 1, 3, 2)).add(hidden).softmax(-1); // (B, h, T, T)
      NDArray mixed =
          weights.matMul(value).transpose(0, 2, 1, 3).reshape(size, longest, d); // (B, T, d)
      x = layer.attentionNorm().of(layer.attention().of(mixed).add(x)); // (B, T, d)
      NDArray inner = Activation.gelu(layer.intermediate().of(x)); // (B, T, intermediate)
      x = layer.outputNorm().of(layer.output().of(inner).add(x)); // (B, T, d)
    }
    return x;
  }

  private static NDArray look(NDArray ids, NDArray table) {
    return Embedding.embedding(ids, table, SparseFormat.DENSE).singletonOrThrow();
  }

  private NDArray heads(NDArray x, int width) {
    Shape shape = x.getShape();
    return x.reshape(shape.get(0), shape.get(1), config.heads(), width).transpose(0, 2, 1, 3);
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
