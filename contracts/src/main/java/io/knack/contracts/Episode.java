package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import org.jspecify.annotations.Nullable;

/**
 * A solved problem kept for the prompt.
 *
 * @param tokens its length in the prompt
 * @param vector of the problem, in the feature space named by its digest
 */
public record Episode(
    EpisodeId id,
    ExampleId source,
    @Nullable SubjectId subject,
    @Nullable TenantId tenant,
    ClusterId clusterId,
    String problem,
    String solution,
    long tokens,
    SparseVector vector,
    String featureSpaceDigest) {}
