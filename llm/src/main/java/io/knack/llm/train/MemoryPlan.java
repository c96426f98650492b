package io.knack.llm.train;

import ai.djl.Device;
import ai.djl.util.cuda.CudaUtils;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.AvailableMemory;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;

/**
 * An estimate of what a LoRA training holds on its device, in bytes.
 *
 * @param base frozen weights
 * @param adapters weights, gradients and optimizer state of all
 * @param activations of the micro-batches that are computed at the same time
 */
public record MemoryPlan(long base, long adapters, long activations) {

  /** Libraries, the virtual machine, and what allocators keep for themselves. */
  private static final long RUNTIME = 600L << 20;

  /**
   * @param rows of the largest micro-batch, padding included
   * @param longest sequence
   * @param dropout whether masks are kept
   * @param recomputed whether only layer inputs are kept
   */
  public record Load(int adapters, long rows, int longest, boolean dropout, boolean recomputed) {}

  public static MemoryPlan of(ModelConfig shape, Compute compute, LoraLayout layout, Load load) {
    int bytes = compute.arithmetic().bytes();
    long weights = Slot.of(shape).stream().mapToLong(Slot::size).sum() * bytes;
    long copies = 12 + 4L * compute.workers() + (compute.arithmetic() == DType.F32 ? 0 : bytes);
    long d = shape.hidden();
    long q = shape.queryWidth();
    long kv = shape.keyWidth();
    long f = shape.feedForward();
    long ranks = layout.specs().get(0).stream().mapToLong(group -> group[0]).sum();
    long masks = load.dropout() ? 2 * d + q + f : 0;
    // What a layer keeps for its backward pass, in numbers a row: see layer in train.py.
    long kept = 4 * d + (q + 2 * kv) + (q + kv) + q + 4 * f + ranks + masks;
    long passing = 4 * d + 2 * (q + 2 * kv) + 4 * q + 4 * f;
    long layers = load.recomputed() ? shape.layers() * (d + masks) + kept : shape.layers() * kept;
    long each = load.rows() * (layers + passing) * bytes;
    long logits = Math.min(load.rows(), TrainingKernels.chunk(shape)) * shape.vocabulary();
    each += logits * (4 + 2L * bytes) + 3 * load.rows() * d * bytes;
    if (!compute.device().equals("cpu")) {
      each += 12L * load.rows() * shape.heads() * load.longest(); // scores are written out
    }
    return new MemoryPlan(
        weights, (long) load.adapters() * layout.size() * copies, each * compute.workers());
  }

  public long total() {
    return base + adapters + activations + RUNTIME;
  }

  /**
   * Memory that a training may take on the device now; {@link Long#MAX_VALUE} where the system does
   * not say.
   */
  public static long available(String device) {
    Device where = Kernels.device(device);
    if (where.isGpu()) {
      var memory = CudaUtils.getGpuMemory(where);
      return memory.getMax() - memory.getUsed();
    }
    return AvailableMemory.bytes();
  }

  /** For a person. */
  public String words() {
    return "base "
        + megabytes(base)
        + ", adapters with gradients and optimizer "
        + megabytes(adapters)
        + ", activations "
        + megabytes(activations)
        + ", runtime "
        + megabytes(RUNTIME)
        + ": "
        + megabytes(total());
  }

  /** Rounded up. */
  public static String megabytes(long bytes) {
    return ((bytes + (1 << 20) - 1) >> 20) + " MB";
  }
}
