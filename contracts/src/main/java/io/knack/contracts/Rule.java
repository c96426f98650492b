package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.TenantId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What experience taught about one cluster. Data for a prompt, never an instruction to Knack.
 *
 * @param way how it was distilled: {@code reflect}, {@code multi_case} or {@code update}
 * @param tenant whose it is; null when tenants share
 * @param helped validation problems that it made cheaper or right
 * @param harmed validation problems that it made dearer or wrong
 * @param value expected completion tokens saved per problem, on validation
 * @param tokens its length in the prompt
 */
public record Rule(
    RuleId id,
    ClusterId clusterId,
    @Nullable TenantId tenant,
    String way,
    String when,
    String then,
    String scope,
    List<ExampleId> evidence,
    long helped,
    long harmed,
    double value,
    long tokens,
    Instant learntAt,
    @Nullable Instant expiresAt) {
  public Rule {
    evidence = List.copyOf(evidence);
  }
}
