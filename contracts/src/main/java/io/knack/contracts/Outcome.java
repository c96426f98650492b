package io.knack.contracts;

/** How an interaction or attempt ended. */
public enum Outcome {
  /** Something independent of the model said that the answer is right. */
  VERIFIED,
  /** Something independent of the model said that the answer is wrong. */
  FAILED,
  /** Nothing said anything. */
  UNKNOWN
}
