package io.knack.contracts.store;

import io.knack.contracts.id.RunId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The artifacts of a workspace, below {@code HOME/artifacts}. */
public final class ArtifactStore {
  private final Path home;

  private ArtifactStore(Path home) {
    this.home = home;
  }

  public static ArtifactStore open(Path home) {
    return new ArtifactStore(home);
  }

  public Path home() {
    return home;
  }

  /** A new empty directory beside the place where an artifact of this kind will be. */
  public Path stage(ArtifactKind kind, RunId run) {
    throw new UnsupportedOperationException("written next");
  }

  /** Hashes and syncs the staged files, writes {@code artifact.json} last, renames. */
  public Artifact commit(Path staged, ArtifactCard draft) {
    throw new UnsupportedOperationException("written next");
  }

  /** Finds an artifact and verifies it; a wrong or erased digest is refused by name. */
  public Artifact resolve(ArtifactRef ref) {
    throw new UnsupportedOperationException("written next");
  }

  /** All live artifacts of a kind, in commit order. */
  public List<Artifact> chain(ArtifactKind kind) {
    throw new UnsupportedOperationException("written next");
  }

  public Optional<Artifact> latest(ArtifactKind kind) {
    List<Artifact> chain = chain(kind);
    return chain.isEmpty() ? Optional.empty() : Optional.of(chain.get(chain.size() - 1));
  }
}
