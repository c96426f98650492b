package io.knack.spark.mine;

import io.knack.contracts.Cluster;
import io.knack.contracts.Cluster.Event;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.TenantId;
import io.knack.practice.features.TextVector;
import java.util.List;

/** A cluster tonight, before it is written. */
record Living(
    String id,
    String family,
    String tenant,
    Event event,
    List<String> parents,
    TextVector centroid,
    List<String> exemplars,
    List<String> terms,
    Statistics statistics) {
  /**
   * The share of a problem's tokens that practice is expected to save: everything after the first
   * attempt, and never less than promotion asks for.
   */
  private static final double LEAST_SAVING = 0.1;

  static Living of(ClusterState state, TextVector centroid) {
    return new Living(
        state.clusterId(),
        state.familyId(),
        state.tenant(),
        Event.CONTINUED,
        List.of(state.clusterId()),
        centroid,
        state.exemplars(),
        state.terms(),
        state.statistics());
  }

  ClusterState state() {
    return ClusterState.of(id, family, tenant, centroid.toSparse(), exemplars, terms, statistics);
  }

  Living with(Event now) {
    return new Living(id, family, tenant, now, parents, centroid, exemplars, terms, statistics);
  }

  boolean eligible(MinePlan plan) {
    return event != Event.RETIRED
        && statistics.distinctSubjects() >= plan.minSubjects()
        && statistics.interactions >= plan.minInteractions();
  }

  double meanTokens() {
    return statistics.tokens / (double) Math.max(1, statistics.interactions);
  }

  double meanAttempts() {
    return statistics.attempts / (double) Math.max(1, statistics.interactions);
  }

  double savingPerMonth() {
    double share = Math.max(LEAST_SAVING, 1 - 1 / Math.max(1, meanAttempts()));
    return rounded(statistics.perMonth() * meanTokens() * share);
  }

  /** Below the privacy floor a card counts, and shows no text. */
  Cluster card(MinePlan plan, String spaceDigest) {
    boolean shown = eligible(plan);
    return new Cluster(
        new ClusterId(id),
        new FamilyId(family),
        event,
        parents.stream().map(ClusterId::new).toList(),
        tenant.equals(SeenRows.SHARED) ? null : new TenantId(tenant),
        statistics.interactions,
        statistics.firstDay(),
        statistics.lastDay(),
        statistics.days.size(),
        statistics.distinctSubjects(),
        statistics.tenants.stream().map(TenantId::new).toList(),
        shown,
        rounded(statistics.meanSimilarity()),
        statistics.judged == 0 ? null : rounded(statistics.passed / (double) statistics.judged),
        rounded(meanTokens()),
        rounded(meanAttempts()),
        rounded(statistics.trend()),
        savingPerMonth(),
        centroid.toSparse(),
        spaceDigest,
        shown ? exemplars : List.of(),
        shown ? terms : List.of());
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4;
  }
}
