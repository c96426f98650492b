package io.knack.llm.local;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.kernel.DType;
import org.jspecify.annotations.Nullable;

/**
 * How a checkpoint is run in this process.
 *
 * @param dtype null for the stored type (float16 runs as float32 on CPU)
 * @param device {@code cpu}, {@code cuda} or {@code cuda:N}
 * @param threads of the whole process; 0 leaves the engine's choice
 * @param maxBatch sequences that run at once, at least 1
 * @param cacheBytes the most that the key/value cache may take; 0 for half of the memory available
 */
public record LocalOptions(
    @Nullable DType dtype, String device, int threads, int maxBatch, long cacheBytes) {

  public LocalOptions {
    if (maxBatch < 1 || threads < 0 || cacheBytes < 0) {
      throw new PlanException(
          "local model: max batch "
              + maxBatch
              + " must be at least 1, threads "
              + threads
              + " and cache bytes "
              + cacheBytes
              + " not negative");
    }
  }

  /** On CPU, as stored, 128 sequences at once. */
  public static LocalOptions defaults() {
    return new LocalOptions(null, "cpu", 0, 128, 0);
  }

  public LocalOptions withDtype(DType newDtype) {
    return new LocalOptions(newDtype, device, threads, maxBatch, cacheBytes);
  }

  public LocalOptions withMaxBatch(int newMaxBatch) {
    return new LocalOptions(dtype, device, threads, newMaxBatch, cacheBytes);
  }
}
