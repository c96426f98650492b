package io.knack.contracts.store;

import java.nio.file.Path;

/** A committed artifact: immutable. */
public record Artifact(ArtifactRef ref, Path directory, ArtifactCard card) {
  public Path file(String relative) {
    return directory.resolve(relative);
  }
}
