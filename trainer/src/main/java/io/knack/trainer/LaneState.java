package io.knack.trainer;

import org.jspecify.annotations.Nullable;

/** How far one lane is; saved with every checkpoint. */
final class LaneState {
  /** Steps consumed, skipped ones included. */
  public long step;

  /** Optimizer steps taken: what AdamW's bias correction counts. */
  public long updates;

  public int skipped;
  public boolean stopped;
  public int worse;
  public double bestLoss = Double.POSITIVE_INFINITY;
  public double lastLoss = Double.NaN;

  /** Weights at the best validation; null before the first. */
  public float @Nullable [] best;
}
