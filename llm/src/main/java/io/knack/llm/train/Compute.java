package io.knack.llm.train;

import io.knack.llm.kernel.DType;

/**
 * Where and how gradients are computed.
 *
 * @param device {@code cpu}, {@code cuda} or {@code cuda:N}
 * @param dtype of weights and activations in the passes; master weights, gradients and optimizer
 *     state are always fp32
 * @param workers micro-batches computed at the same time, one core each. Many small single-threaded
 *     passes beat one pass on many threads on CPU: nothing waits at a barrier, and a micro-batch
 *     stays in its core's cache. Part of the result's identity: gradients are summed per worker.
 */
public record Compute(String device, DType dtype, int workers) {
  public Compute {
    if (workers < 1) {
      throw new IllegalArgumentException("workers must be at least 1; found " + workers);
    }
  }

  /** fp32 on this machine's cores, at most eight. */
  public static Compute cpu(DType dtype) {
    return new Compute("cpu", dtype, Math.min(8, Runtime.getRuntime().availableProcessors()));
  }
}
