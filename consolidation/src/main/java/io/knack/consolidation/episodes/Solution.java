package io.knack.consolidation.episodes;

import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What may become an episode: a verified solution and where it comes from.
 *
 * @param tenant whom it may serve; null for all
 */
record Solution(
    ClusterId cluster,
    @Nullable TenantId tenant,
    ExampleId source,
    @Nullable SubjectId subject,
    String problem,
    String completion) {
  /** The shortest first. */
  static final Comparator<Solution> LENGTH =
      Comparator.comparingInt((Solution s) -> s.completion().length())
          .thenComparing(s -> s.source().value());

  /** Of a training example of a cluster; empty for any other. */
  static Optional<Solution> of(Example example, RememberPlan plan) {
    return example.clusterId() == null
            || example.split() != Split.TRAIN
            || example.completion() == null
        ? Optional.empty()
        : Optional.of(
            new Solution(
                Objects.requireNonNull(example.clusterId()),
                plan.shareAcrossTenants() ? null : example.tenant(),
                example.id(),
                example.subject(),
                example.problem(),
                Objects.requireNonNull(example.completion())));
  }
}
