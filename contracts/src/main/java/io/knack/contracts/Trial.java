package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.TenantId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One problem solved by one arm.
 *
 * @param arm the memory: {@code baseline}, {@code episodes}, {@code reflect}, {@code multi_case},
 *     {@code update}, {@code adapter}, {@code adapter_rules}, or {@code manifest}
 * @param similarity to what was learnt, S1 to S5, where known
 * @param fired whether the memory was applied
 * @param fault an infrastructure fault; counts against a candidate
 */
public record Trial(
    ExampleId example,
    @Nullable ClusterId cluster,
    TenantId tenant,
    Map<String, String> tags,
    String arm,
    String method,
    long seed,
    @Nullable String similarity,
    boolean fired,
    boolean passed,
    double score,
    @Nullable String fault,
    Budget budget) {
  public Trial {
    tags = Map.copyOf(tags);
  }
}
