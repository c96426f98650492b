package io.knack.llm.train;

import io.knack.llm.kernel.Cpu;
import io.knack.llm.kernel.DType;

/**
 * Where and how gradients are computed.
 *
 * @param device {@code cpu}, {@code cuda} or {@code cuda:N}
 * @param dtype what frozen weights are rounded to
 * @param arithmetic of weights and activations in the passes; master weights, gradients and
 *     optimizer state are always fp32
 * @param workers micro-batches computed at the same time, one core each. Many small single-threaded
 *     passes beat one pass on many threads on CPU: nothing waits at a barrier, and a micro-batch
 *     stays in its core's cache. Part of the result's identity: gradients are summed per worker.
 */
public record Compute(String device, DType dtype, DType arithmetic, int workers) {
  public Compute {
    if (workers < 1) {
      throw new IllegalArgumentException("workers must be at least 1; found " + workers);
    }
  }

  /**
   * The faster arithmetic for the type. A CPU without matrix units for bfloat16 (AMX) multiplies it
   * slower than fp32: there, weights rounded to bfloat16 are held and multiplied as fp32, which
   * takes twice their memory and loses nothing.
   */
  public static Compute of(String device, DType dtype, int workers) {
    boolean wide = device.equals("cpu") && dtype == DType.BF16 && !Cpu.has("amx_bf16");
    return new Compute(device, dtype, wide ? DType.F32 : dtype, workers);
  }
}
