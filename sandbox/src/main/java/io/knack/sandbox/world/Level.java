package io.knack.sandbox.world;

/** How like its family's known problems a request is: the paper's levels, and the trap. */
public enum Level {
  /** The same question. */
  S1,
  /** Reworded. */
  S2,
  /** Other numbers. */
  S3,
  /** Another structure under the same house rule. */
  S4,
  /** The looks of a known problem under another house rule. */
  S5,
  /** Nothing that comes again. */
  NOISE
}
