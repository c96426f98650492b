package io.knack.consolidation.episodes;

import io.knack.contracts.Message;
import io.knack.contracts.Problems;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.util.Comparator;
import java.util.List;
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

  /** The columns of examples that a solution is made of. */
  static final Table<Columns> EXAMPLES = Tables.own(Tables.EXAMPLES.name(), Columns.class);

  /** Of an {@link io.knack.contracts.Example}. */
  public record Columns(
      ExampleId id,
      @Nullable ClusterId clusterId,
      @Nullable TenantId tenant,
      @Nullable SubjectId subject,
      List<Message> messages,
      @Nullable String completion,
      Split split) {}

  /** Of a training example of a cluster; empty for any other. */
  static Optional<Solution> of(Columns example, RememberPlan plan) {
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
                Problems.of(example.messages()),
                Objects.requireNonNull(example.completion())));
  }
}
