package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.InteractionId;
import org.jspecify.annotations.Nullable;

/**
 * Where one interaction belongs.
 *
 * @param clusterId null when the interaction is not recurrent
 * @param familyId the nearest family, always
 * @param similarity to the centroid of its cluster, or of its family where it has no cluster
 */
public record ClusterMember(
    InteractionId interactionId,
    @Nullable ClusterId clusterId,
    FamilyId familyId,
    double similarity) {}
