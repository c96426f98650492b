package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.IValue;
import io.knack.llm.checkpoint.Checkpoint;
import io.knack.llm.checkpoint.DecoderTensors;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.Embeddings;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.vector.VectorMath;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** A decoder's weights in the order the {@code decoder} kernel takes them. */
final class Weights implements AutoCloseable {
  /** Mapped pages count as resident until the collector drops the map. */
  private static final long COLLECT_EVERY = 256L << 20;

  private final NDManager owner;
  private final List<NDArray> tensors;
  private final IValue list;
  private final DType dtype;
  private final DType matrices;
  private final DType embeddingType;
  private final boolean vectors;

  private Weights(
      NDManager owner,
      List<NDArray> tensors,
      DType dtype,
      DType matrices,
      DType embeddingType,
      boolean vectors) {
    this.owner = owner;
    this.tensors = tensors;
    this.list = Kernels.list(tensors);
    this.dtype = dtype;
    this.matrices = matrices;
    this.embeddingType = embeddingType;
    this.vectors = vectors;
  }

  static Weights load(
      Kernels kernels,
      ModelConfig model,
      Checkpoint checkpoint,
      DType dtype,
      LocalOptions options) {
    NDManager owner = kernels.manager().newSubManager();
    try {
      DType kept = dtype == DType.F32 ? storedType(checkpoint) : dtype;
      boolean vectors = VectorDecoder.suits(kernels, model, dtype, kept, options);
      DType matrices = vectors ? kept : dtype;
      List<NDArray> tensors =
          new Loader(kernels, model, checkpoint, dtype, matrices, vectors, owner).all();
      return new Weights(
          owner, tensors, dtype, matrices, checkpoint.type(DecoderTensors.EMBEDDING), vectors);
    } catch (RuntimeException e) {
      owner.close();
      throw e;
    }
  }

  /** What all weights are stored in; float32 where they differ. */
  private static DType storedType(Checkpoint checkpoint) {
    Set<DType> types = EnumSet.noneOf(DType.class);
    checkpoint.names().stream()
        .filter(name -> name.endsWith(".weight"))
        .forEach(name -> types.add(checkpoint.type(name)));
    return types.size() == 1 ? types.iterator().next() : DType.F32;
  }

  IValue list() {
    return list;
  }

  /** As the {@code decoder} kernel counts them. */
  NDArray tensor(int index) {
    return tensors.get(index);
  }

  DType dtype() {
    return dtype;
  }

  /**
   * What matrices are kept in. float32 over a checkpoint of a shorter type keeps them as they are
   * stored where products widen them on the way: the same numbers in half the memory.
   */
  DType matrices() {
    return matrices;
  }

  /** Whether they lie as {@link VectorDecoder} reads them. */
  boolean vectors() {
    return vectors;
  }

  /** What the embedding is stored in, and looked up in where products are packed. */
  DType embeddingType() {
    return embeddingType;
  }

  @Override
  public void close() {
    list.close();
    owner.close();
  }

  private static final class Loader {
    private final Kernels kernels;
    private final ModelConfig model;
    private final Checkpoint checkpoint;
    private final DType dtype;
    private final NDManager owner;
    private final NDArray none;
    private final boolean pack;
    private final Kernels.Layout layout;

    private final DType matrices;
    private long dropped;

    Loader(
        Kernels kernels,
        ModelConfig model,
        Checkpoint checkpoint,
        DType dtype,
        DType matrices,
        boolean vectors,
        NDManager owner) {
      this.kernels = kernels;
      this.model = model;
      this.checkpoint = checkpoint;
      this.dtype = dtype;
      this.owner = owner;
      this.none = owner.create(new float[0]);
      this.pack = !kernels.device().isGpu() && dtype != DType.F16;
      this.layout =
          !pack
              ? Kernels.Layout.PLAIN
              : vectors ? VectorDecoder.layout(kernels, dtype) : kernels.layout(dtype);
      this.matrices = matrices;
    }

    List<NDArray> all() {
      List<NDArray> weights = new ArrayList<>();
      for (int layer = 0; layer < model.layers(); layer++) {
        block(weights, layer);
      }
      ends(weights);
      weights.add(kernels.cast(owner, owner.create(model.inverseFrequencies()), DType.F32));
      System.gc();
      return weights;
    }

    private void block(List<NDArray> weights, int layer) {
      int d = model.hidden();
      int q = model.queryWidth();
      int k = model.keyWidth();
      int f = model.feedForward();
      weights.add(plain(ModelConfig.tensor(layer, "input_layernorm", "weight"), d));
      projection(
          weights,
          layer,
          model.qkvBias(),
          d,
          new String[] {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
          q,
          k,
          k);
      if (model.qkNorm() == QkNorm.PER_HEAD) {
        weights.add(
            plain(ModelConfig.tensor(layer, "self_attn.q_norm", "weight"), model.headDim()));
        weights.add(
            plain(ModelConfig.tensor(layer, "self_attn.k_norm", "weight"), model.headDim()));
      } else {
        weights.add(none);
        weights.add(none);
      }
      projection(weights, layer, model.outputBias(), q, new String[] {"self_attn.o_proj"}, d);
      weights.add(plain(ModelConfig.tensor(layer, "post_attention_layernorm", "weight"), d));
      projection(
          weights, layer, model.mlpBias(), d, new String[] {"mlp.gate_proj", "mlp.up_proj"}, f, f);
      projection(weights, layer, model.mlpBias(), f, new String[] {"mlp.down_proj"}, d);
    }

    /** Adds the fused matrix of modules with one input, and their fused bias. */
    private void projection(
        List<NDArray> weights, int layer, Bias bias, int in, String[] modules, int... outs) {
      try (NDManager scope = owner.newSubManager()) {
        List<NDArray> parts = new ArrayList<>();
        List<NDArray> biases = new ArrayList<>();
        for (int i = 0; i < modules.length; i++) {
          parts.add(matrix(scope, ModelConfig.tensor(layer, modules[i], "weight"), outs[i], in));
          if (bias == Bias.ADDED) {
            biases.add(read(scope, ModelConfig.tensor(layer, modules[i], "bias"), outs[i]));
          }
          dropped += (long) outs[i] * in * matrices.bytes();
        }
        weights.add(fuse(parts));
        weights.add(biases.isEmpty() ? noBias(outs) : kernels.tensor(owner, "rows", biases));
      }
      if (dropped > COLLECT_EVERY) {
        dropped = 0;
        System.gc();
      }
    }

    /** Blocks that are padded tell the number of their outputs by a bias. */
    private NDArray noBias(int... outs) {
      int sum = IntStream.of(outs).sum();
      return sum % VectorMath.BLOCK == 0 || !layout.isBlocks()
          ? none
          : kernels.cast(owner, owner.zeros(new Shape(sum)), dtype);
    }

    private NDArray fuse(List<NDArray> parts) {
      if (parts.size() == 1 && !pack) {
        return kernels.tensor(
            owner, "owned", parts.get(0), dtype.torchCode(), kernels.deviceName());
      }
      return kernels.tensor(owner, "fuse", parts, layout.code());
    }

    /**
     * Adds embedding, last norm and head. Where products are packed, the embedding is as stored and
     * lies over the file, of which only the rows that are looked up become resident; where it is
     * the head too, that one is a copy.
     */
    private void ends(List<NDArray> weights) {
      try (NDManager scope = owner.newSubManager()) {
        NDManager keeper = pack ? scope : owner;
        NDArray embedding =
            matrix(keeper, DecoderTensors.EMBEDDING, model.vocabulary(), model.hidden());
        NDArray head = head(embedding);
        weights.add(pack ? checkpoint.lookup(kernels, owner, DecoderTensors.EMBEDDING) : embedding);
        weights.add(plain(DecoderTensors.NORM, model.hidden()));
        weights.add(head);
      }
    }

    private NDArray head(NDArray embedding) {
      if (model.embeddings() == Embeddings.TIED) {
        DecoderTensors.checkTied(kernels, owner, checkpoint, model);
        return pack ? fuse(List.of(embedding)) : embedding;
      }
      try (NDManager scope = owner.newSubManager()) {
        return fuse(
            List.of(matrix(scope, DecoderTensors.HEAD, model.vocabulary(), model.hidden())));
      }
    }

    private NDArray plain(String name, long... shape) {
      return read(owner, name, shape);
    }

    private NDArray matrix(NDManager to, String name, long... shape) {
      return checkpoint.load(kernels, to, name, matrices, shape);
    }

    private NDArray read(NDManager to, String name, long... shape) {
      return checkpoint.load(kernels, to, name, dtype, shape);
    }
  }
}
