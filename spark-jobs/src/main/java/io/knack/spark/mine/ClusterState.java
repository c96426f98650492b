package io.knack.spark.mine;

import io.knack.contracts.SparseVector;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * A cluster as tomorrow needs it: {@link Statistics} that can be added to, and what is shown of it.
 *
 * @param tenant whose rows it takes, {@link SeenRows#SHARED} for all
 * @param exemplars whether or not the privacy floor lets them be shown
 */
public record ClusterState(
    String clusterId,
    String familyId,
    String tenant,
    SparseVector centroid,
    List<String> exemplars,
    List<String> terms,
    long interactions,
    long attempts,
    long judged,
    long passed,
    long tokens,
    long similarity,
    long similaritySquares,
    List<Long> days,
    List<Long> dayCounts,
    List<Long> subjects,
    List<String> tenants) {
  static final Table<ClusterState> TABLE = Tables.own("states", ClusterState.class);

  static ClusterState of(
      String clusterId,
      String familyId,
      String tenant,
      SparseVector centroid,
      List<String> exemplars,
      List<String> terms,
      Statistics s) {
    return new ClusterState(
        clusterId,
        familyId,
        tenant,
        centroid,
        exemplars,
        terms,
        s.interactions,
        s.attempts,
        s.judged,
        s.passed,
        s.tokens,
        s.similarity,
        s.similaritySquares,
        s.dayNumbers(),
        s.dayCounts(),
        new ArrayList<>(s.subjects),
        new ArrayList<>(s.tenants));
  }

  Statistics statistics() {
    Statistics s = new Statistics();
    s.interactions = interactions;
    s.attempts = attempts;
    s.judged = judged;
    s.passed = passed;
    s.tokens = tokens;
    s.similarity = similarity;
    s.similaritySquares = similaritySquares;
    Iterator<Long> counts = dayCounts.iterator();
    days.forEach(day -> s.days.put(day, counts.next()));
    s.subjects.addAll(subjects);
    s.tenants.addAll(tenants);
    return s;
  }

  ClusterState with(Statistics s) {
    return of(clusterId, familyId, tenant, centroid, exemplars, terms, s);
  }
}
