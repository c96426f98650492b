package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.TenantId;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A problem that keeps coming back: one memory could serve all of it.
 *
 * @param tenant whose it is; null when tenants share
 * @param parents the clusters of the night before that it came from; empty when born
 * @param size interactions, folded duplicates included
 * @param eligible at or above the privacy floor; else exemplars and terms are empty
 * @param cohesion mean similarity to the centroid, in [0, 1]
 * @param passRate share of attempts that passed, in [0, 1]; null when nothing was verified
 * @param meanCompletionTokens generated tokens per interaction
 * @param meanAttempts attempts per interaction
 * @param trend interactions per day in the later half of its days less the earlier half
 * @param expectedSavingPerMonth completion tokens a month saved if it became easy
 */
public record Cluster(
    ClusterId clusterId,
    FamilyId familyId,
    Event event,
    List<ClusterId> parents,
    @Nullable TenantId tenant,
    long size,
    LocalDate firstDay,
    LocalDate lastDay,
    long days,
    long subjects,
    List<TenantId> tenants,
    boolean eligible,
    double cohesion,
    @Nullable Double passRate,
    double meanCompletionTokens,
    double meanAttempts,
    double trend,
    double expectedSavingPerMonth,
    SparseVector centroid,
    String featureSpaceDigest,
    List<String> exemplars,
    List<String> terms) {

  /** What became of a cluster since the night before. */
  public enum Event {
    BORN,
    CONTINUED,
    SPLIT,
    MERGED,
    RETIRED
  }

  public Cluster {
    parents = List.copyOf(parents);
    tenants = List.copyOf(tenants);
    exemplars = List.copyOf(exemplars);
    terms = List.copyOf(terms);
  }
}
