package io.knack.contracts.stage;

import io.knack.contracts.store.ArtifactKind;

/** A kind of artifact that a stage reads, and how much of it. */
public record StageInput(ArtifactKind kind, Need need) {

  /** How much of a kind a stage reads. */
  public enum Need {
    /** The latest; without one the stage ends with {@link ExitCode#CONTRACT}. */
    LATEST,
    /** The latest, if there is one. */
    LATEST_IF_ANY,
    /** The whole chain of deltas, oldest first; at least one. */
    CHAIN,
    /** The whole chain of deltas, oldest first; may be empty. */
    CHAIN_IF_ANY
  }
}
