package io.knack.llm.train;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.jni.IValue;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * All weights of a decoder in one vector: matrices first (they decay), then vectors (they do not).
 *
 * @param offsets of each slot
 * @param decayed numbers that weight decay applies to; they come first
 */
@SuppressWarnings("ArrayRecordComponent")
public record FlatWeights(
    ModelConfig shape, List<Slot> slots, long[] offsets, int size, int decayed) {

  public static FlatWeights of(ModelConfig shape) {
    List<Slot> slots = Slot.of(shape);
    long[] offsets = new long[slots.size()];
    int at = 0;
    for (int i = 0; i < offsets.length; i++) {
      if (!slots.get(i).vector()) {
        offsets[i] = at;
        at += slots.get(i).size();
      }
    }
    int decayed = at;
    for (int i = 0; i < offsets.length; i++) {
      if (slots.get(i).vector()) {
        offsets[i] = at;
        at += slots.get(i).size();
      }
    }
    return new FlatWeights(shape, slots, offsets, at, decayed);
  }

  /** A tensor of a checkpoint and where it lies. */
  public record Range(String name, int offset, int rows, int columns) {
    public int size() {
      return rows * Math.max(1, columns);
    }
  }

  /** Every tensor of the checkpoint, in the order of the slots. */
  public List<Range> ranges() {
    Map<String, Range> ranges = new LinkedHashMap<>();
    for (int i = 0; i < slots.size(); i++) {
      int at = (int) offsets[i];
      for (Slot.Part part : slots.get(i).parts()) {
        Range range = new Range(part.name(), at, part.rows(), slots.get(i).columns());
        ranges.put(part.name(), range);
        at += range.size();
      }
    }
    return List.copyOf(ranges.values());
  }

  /**
   * Random weights: normal with deviation {@code deviation}, projections into the residual stream
   * smaller by the square root of twice the layers (Radford et al., 2019), norms one, biases zero.
   */
  public float[] random(double deviation, long seed) {
    float[] flat = new float[size];
    Random random = new Random(seed);
    for (Range range : ranges()) {
      boolean residual =
          range.name().endsWith("o_proj.weight") || range.name().endsWith("down_proj.weight");
      double scale = residual ? deviation / Math.sqrt(2.0 * shape.layers()) : deviation;
      for (int i = range.offset(); i < range.offset() + range.size(); i++) {
        if (range.columns() > 0) {
          flat[i] = (float) (random.nextGaussian() * scale);
        } else {
          flat[i] = range.name().endsWith("bias") ? 0 : 1;
        }
      }
    }
    return flat;
  }

  /** The slots of {@code flat} (1, N) as the kernels' weight list; the caller closes it. */
  IValue views(Kernels kernels, NDArray flat) {
    long[] rows = slots.stream().mapToLong(Slot::rows).toArray();
    long[] columns = slots.stream().mapToLong(Slot::columns).toArray();
    long[] places = offsets.clone();
    if (shape.embeddings() == ModelConfig.Embeddings.TIED) {
      places[2] = places[0];
      rows[2] = rows[0];
      columns[2] = columns[0];
    }
    return kernels.call("views", flat, places, rows, columns);
  }
}
