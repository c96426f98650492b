package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One token for every running row, in one kernel call. */
final class DecodeStep implements TokenStep {
  private final LocalModel model;
  private final Kernels kernels;
  private final NDManager owner;
  private final LongBuffer numbers;
  private final FloatBuffer draws;
  private final NDArray numbersTensor;
  private final NDArray drawsTensor;
  private @Nullable AttentionBlocks blocks;
  private @Nullable NDArray order;
  private @Nullable NDArray own;
  private @Nullable AdapterStack stack;

  DecodeStep(LocalModel model, NDManager owner) {
    this.model = model;
    this.kernels = model.kernels();
    this.owner = owner;
    int most = model.padded(model.options().maxBatch());
    ByteBuffer longs = ByteBuffer.allocateDirect(most * 4 * 8).order(ByteOrder.nativeOrder());
    ByteBuffer floats = ByteBuffer.allocateDirect(most * 4 * 4).order(ByteOrder.nativeOrder());
    numbers = longs.asLongBuffer();
    draws = floats.asFloatBuffer();
    numbersTensor = kernels.over(owner, longs, new Shape(most, 4), DataType.INT64);
    drawsTensor = kernels.over(owner, floats, new Shape(most, 4), DataType.FLOAT32);
  }

  @Override
  public double[] step(List<Row> rows, boolean changed) {
    KvCache cache = model.cache(rows.size(), 1, rows.size());
    int n = model.padded(rows.size());
    int longest = 0;
    boolean narrowed = false;
    boolean scored = false;
    float[] choice = new float[4];
    for (int i = 0; i < n; i++) {
      Row row = i < rows.size() ? rows.get(i) : null;
      int position = row == null ? 0 : row.position();
      numbers.put(4 * i, row == null ? 0 : row.last());
      numbers.put(4 * i + 1, position);
      numbers.put(4 * i + 2, i);
      if (row != null) {
        row.choose(choice, 0);
        draws.put(4 * i, choice);
        narrowed |= row.narrowed();
        scored |= row.task.scores();
        longest = Math.max(longest, position + 1);
      }
    }
    if (changed) {
      prepare(rows, n);
    }
    try (NDManager scope = owner.newSubManager()) {
      return kernels
          .infer(
              scope,
              "decode",
              model.weights().list(),
              model.shape(),
              model.config().normEpsilon(),
              cache.tensors(),
              Objects.requireNonNull(stack).tensors(),
              Objects.requireNonNull(own),
              numbersTensor,
              drawsTensor,
              n,
              rows.size(),
              KvCache.step(longest),
              Objects.requireNonNull(blocks).blocks(rows),
              Objects.requireNonNull(order),
              narrowed,
              scored,
              model.seen(scope, rows),
              model.repetitionPenalty())
          .toDoubleArray();
    }
  }

  private void prepare(List<Row> rows, int n) {
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      adapters.add(i < rows.size() ? rows.get(i).task.adapter : null);
    }
    stack = model.stack(adapters);
    if (own != null) {
      own.close();
    }
    own = stack.mask(owner, adapters);
    if (order != null) {
      order.close();
    }
    blocks = AttentionBlocks.of(rows, model);
    order = owner.create(blocks.order());
  }
}
