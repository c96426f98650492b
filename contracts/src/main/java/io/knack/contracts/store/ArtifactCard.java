package io.knack.contracts.store;

import io.knack.contracts.id.RunId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code artifact.json}: written last; a directory without it does not exist.
 *
 * @param producer the stage
 * @param planDigest sha256 of the canonical JSON of the plan
 * @param plan the plan itself, as canonical JSON
 * @param inputs resolved and pinned
 * @param contentDigest over rows sorted by key, without times, rates, run ids and runtime fields
 * @param supersedes artifacts that this one replaces after an erasure
 * @param figures counts and measurements that a person wants to see
 * @param runtime machine, versions; never part of any content digest
 */
public record ArtifactCard(
    ArtifactKind kind,
    int schemaVersion,
    String producer,
    String codeVersion,
    RunId run,
    Instant createdAt,
    String planDigest,
    String plan,
    List<ArtifactRef> inputs,
    List<FileEntry> files,
    String contentDigest,
    long seed,
    List<ArtifactRef> supersedes,
    SortedMap<String, Object> figures,
    Map<String, String> runtime,
    @Nullable String note) {
  /** What every card says; a note is said of few. */
  static final List<String> REQUIRED =
      List.of(
          "kind",
          "schema_version",
          "producer",
          "code_version",
          "run",
          "created_at",
          "plan_digest",
          "plan",
          "inputs",
          "files",
          "content_digest",
          "seed",
          "supersedes",
          "figures",
          "runtime");

  /** One file of the artifact; the path is relative, with forward slashes. */
  public record FileEntry(String path, long bytes, String sha256) {}

  public ArtifactCard withFiles(List<FileEntry> found) {
    return new ArtifactCard(
        kind,
        schemaVersion,
        producer,
        codeVersion,
        run,
        createdAt,
        planDigest,
        plan,
        inputs,
        found,
        contentDigest,
        seed,
        supersedes,
        figures,
        runtime,
        note);
  }
}
