package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.IValue;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Keys and values of running sequences: per block a (rows, G, capacity, D) tensor each. One row
 * more than asked for takes what padding writes.
 */
final class KvCache implements AutoCloseable {
  private final NDManager owner;
  private final IValue tensors;
  private final List<NDArray> layers;
  private final int rows;
  private final int capacity;

  /** Capacities, and how far a step looks, are multiples of this. */
  static final int STEP = 64;

  private KvCache(NDManager owner, List<NDArray> layers, int rows, int capacity) {
    this.owner = owner;
    this.layers = layers;
    this.tensors = Kernels.list(layers);
    this.rows = rows;
    this.capacity = capacity;
  }

  static KvCache allocate(Kernels kernels, ModelConfig model, DType dtype, int rows, int capacity) {
    NDManager owner = kernels.manager().newSubManager();
    List<NDArray> layers =
        Arrays.asList(
            kernels.tensors(
                owner,
                "new_cache",
                model.layers(),
                rows + 1,
                capacity,
                model.kvHeads(),
                model.headDim(),
                dtype.torchCode(),
                kernels.deviceName()));
    return new KvCache(owner, layers, rows, capacity);
  }

  /** The keys (which = 0) or values (1) of a row in memory, layer by layer: (G, capacity, D). */
  ByteBuffer[] bytes(Kernels kernels, int which, int row) {
    return layers.stream()
        .map(layer -> Kernels.bytes(kernels.tensor(owner, "part", layer, which, row)))
        .toArray(ByteBuffer[]::new);
  }

  /** The next multiple of {@value #STEP}. */
  static int step(int places) {
    return (places + STEP - 1) / STEP * STEP;
  }

  /** Bytes of one position of one sequence. */
  static long bytesPerToken(ModelConfig model, DType dtype) {
    return 2L * model.layers() * model.keyWidth() * dtype.bytes();
  }

  /**
   * How many rows of a capacity fit, in steps of 4, at most those wanted.
   *
   * @throws PlanException with the arithmetic when not even 4 do
   */
  static int rowsThatFit(ModelConfig model, DType dtype, int wanted, int capacity, long budget) {
    long row = bytesPerToken(model, dtype) * capacity;
    long fit = budget / row - 1;
    int rows = (int) Math.min((wanted + 3) / 4 * 4L, fit / 4 * 4);
    if (rows < 4) {
      throw new PlanException(
          String.format(
              "the key/value cache would not fit: 2 (keys, values) x %d layers x %d heads x %d wide x %d"
                  + " bytes = %,d bytes a token; x %,d tokens (prompt and new tokens, rounded up) = %,d"
                  + " bytes a sequence; the smallest batch keeps 5 sequences = %,d bytes, %,d may be used."
                  + " Ask for fewer new tokens, or raise the cache limit",
              model.layers(),
              model.kvHeads(),
              model.headDim(),
              dtype.bytes(),
              bytesPerToken(model, dtype),
              capacity,
              row,
              5 * row,
              budget));
    }
    return rows;
  }

  int rows() {
    return rows;
  }

  int capacity() {
    return capacity;
  }

  IValue tensors() {
    return tensors;
  }

  /** The row where the padding goes. */
  long scrap() {
    return rows;
  }

  @Override
  public void close() {
    tensors.close();
    owner.close();
  }
}
