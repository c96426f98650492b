package io.knack.llm.train;

/**
 * Decoupled weight decay (Loshchilov and Hutter, 2019), with torch's defaults and arithmetic.
 *
 * @param maxGradNorm global norm to clip at, per adapter; 0 for no clipping
 */
public record AdamW(
    double beta1, double beta2, double epsilon, double weightDecay, double maxGradNorm) {
  public static final AdamW DEFAULT = new AdamW(0.9, 0.999, 1e-8, 0.0, 1.0);

  /** What a gradient of this norm is divided by: the inverse of torch's clip_grad_norm_. */
  double divisor(double norm) {
    return maxGradNorm > 0 ? Math.max(1, (norm + 1e-6) / maxGradNorm) : 1;
  }
}
