package io.knack.sandbox.rules;

import io.knack.contracts.Cluster;
import io.knack.contracts.Interaction;
import io.knack.contracts.KnackVersion;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the stages before reflection would have left, made up for a trial. */
final class Given {
  private Given() {}

  static ArtifactCard card(ArtifactKind kind, RunId run, Instant at) {
    return new ArtifactCard(
        kind,
        1,
        "sandbox",
        KnackVersion.CURRENT,
        run,
        at,
        "",
        "{}",
        List.of(),
        List.of(),
        "",
        1,
        List.of(),
        new TreeMap<>(),
        Map.of(),
        null);
  }

  /** A cluster of one day that may be learnt from. */
  static Cluster cluster(
      ClusterId id, int size, LocalDate day, SparseVector centroid, String featureSpace) {
    return new Cluster(
        id,
        new FamilyId("family-" + id),
        Cluster.Event.BORN,
        List.of(),
        null,
        size,
        day,
        day,
        1,
        size,
        List.of(Interaction.NO_TENANT),
        true,
        1,
        null,
        0,
        0,
        0,
        0,
        centroid,
        featureSpace,
        List.of(),
        List.of());
  }
}
