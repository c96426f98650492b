package io.knack.contracts.store;

/**
 * Names one artifact, for ever. Printed as {@code kind@digest}.
 *
 * @param digest sha256 of its {@code artifact.json}, in hex
 */
public record ArtifactRef(ArtifactKind kind, String digest) {
  @Override
  public String toString() {
    return kind.wire() + "@" + digest;
  }
}
