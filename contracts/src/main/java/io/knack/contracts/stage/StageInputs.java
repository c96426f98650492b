package io.knack.contracts.stage;

import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The artifacts that a run was given, pinned by digest and verified. */
public record StageInputs(Map<ArtifactKind, List<Artifact>> artifacts) {
  /** Oldest first; empty when there are none. */
  public List<Artifact> chain(ArtifactKind kind) {
    return artifacts.getOrDefault(kind, List.of());
  }

  public Optional<Artifact> latest(ArtifactKind kind) {
    List<Artifact> chain = chain(kind);
    return chain.isEmpty() ? Optional.empty() : Optional.of(chain.get(chain.size() - 1));
  }

  /** The latest of a kind that the stage declared as needed. */
  public Artifact required(ArtifactKind kind) {
    return latest(kind)
        .orElseThrow(() -> new ContractException("no " + kind.wire() + " artifact was given"));
  }
}
