package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A decoder's weights as {@link VectorDecoder} reads them: matrices where they lie, the rest as
 * arrays.
 */
final class VectorWeights {
  /** A fused projection (out, in). */
  static final class Projection {
    final ByteBuffer weight;

    final int in;
    final int out;

    /** Outputs with those that fill up the last block. */
    final int padded;

    final float @Nullable [] bias;

    /** Where the outputs of each of its modules begin. */
    final int[] modules;

    /**
     * @param weight in blocks, see kernels.py
     */
    private Projection(NDArray weight, int in, int out, float @Nullable [] bias, int... modules) {
      this.weight = Kernels.bytes(weight);
      this.in = in;
      this.out = out;
      this.padded = (out + VectorMath.BLOCK - 1) / VectorMath.BLOCK * VectorMath.BLOCK;
      this.bias = bias;
      this.modules = modules;
    }
  }

  /** The embedding (V, d) as stored, which may be too large for one buffer. */
  static final class Embedding {
    private final ByteBuffer[] pieces;
    private final DType stored;
    private final int width;
    private final int rowsOfPiece;

    private Embedding(Kernels kernels, NDManager owner, NDArray table, int width, DType stored) {
      int bytes = width * stored.bytes();
      int rows = (int) table.getShape().get(0);
      this.stored = stored;
      this.width = width;
      this.rowsOfPiece = Integer.MAX_VALUE / bytes;
      this.pieces = new ByteBuffer[(rows + rowsOfPiece - 1) / rowsOfPiece];
      for (int i = 0; i < pieces.length; i++) {
        long from = (long) i * rowsOfPiece;
        long to = Math.min(rows, from + rowsOfPiece);
        pieces[i] = Kernels.bytes(kernels.tensor(owner, "rows_from", table, from, to));
      }
    }

    /** Copies a token's row. */
    void row(int token, float[] to, int at) {
      ByteBuffer piece = pieces[token / rowsOfPiece];
      int from = token % rowsOfPiece * width;
      for (int i = 0; i < width; i++) {
        to[at + i] = stored.read(piece, from + i);
      }
    }
  }

  /** A block of the decoder; norms of queries and keys where the family has them. */
  static final class Layer {
    final float[] norm;
    final Projection qkv;
    final float @Nullable [] queryNorm;
    final float @Nullable [] keyNorm;
    final Projection o;
    final float[] secondNorm;
    final Projection gateUp;
    final Projection down;

    private Layer(VectorWeights from, ModelConfig model, int first) {
      int d = model.hidden();
      int q = model.queryWidth();
      int k = model.keyWidth();
      int f = model.feedForward();
      norm = from.floats(first);
      qkv = from.projection(first + 1, d, q + 2 * k, 0, q, q + k);
      queryNorm = from.floatsOrNull(first + 3);
      keyNorm = from.floatsOrNull(first + 4);
      o = from.projection(first + 5, q, d, 0);
      secondNorm = from.floats(first + 7);
      gateUp = from.projection(first + 8, d, 2 * f, 0, f);
      down = from.projection(first + 10, f, d, 0);
    }
  }

  private final Kernels kernels;
  private final Weights weights;

  /** What matrices are. */
  final DType stored;

  final Embedding embedding;
  final Layer[] layers;
  final float[] lastNorm;
  final Projection head;

  /** Inverse, one for each pair of a head's dimensions. */
  final float[] frequencies;

  VectorWeights(Kernels kernels, NDManager owner, ModelConfig model, Weights weights) {
    this.kernels = kernels;
    this.weights = weights;
    this.stored = weights.matrices();
    this.layers = new Layer[model.layers()];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = new Layer(this, model, 12 * i);
    }
    int ends = 12 * layers.length;
    this.embedding =
        new Embedding(
            kernels, owner, weights.tensor(ends), model.hidden(), weights.embeddingType());
    this.lastNorm = floats(ends + 1);
    this.head =
        new Projection(weights.tensor(ends + 2), model.hidden(), model.vocabulary(), null, 0);
    this.frequencies = floats(ends + 3);
  }

  private float[] floats(int index) {
    return kernels.floats(weights.tensor(index));
  }

  private float @Nullable [] floatsOrNull(int index) {
    NDArray tensor = weights.tensor(index);
    return tensor.size() == 0 ? null : floats(index);
  }

  private Projection projection(int index, int in, int out, int... modules) {
    return new Projection(weights.tensor(index), in, out, floatsOrNull(index + 1), modules);
  }
}
