package io.knack.consolidation.reflect;

import io.knack.contracts.Example;
import io.knack.contracts.Message;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the stages before reflection leave. */
final class Given {
  static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

  private Given() {}

  static ArtifactCard card(ArtifactKind kind) {
    return new ArtifactCard(
        kind,
        1,
        "test",
        "1",
        new RunId("given"),
        START,
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

  /**
   * @param completion of a training problem; null for a validation problem
   */
  static Example example(
      ExampleId id,
      String cluster,
      Instant at,
      TenantId tenant,
      String problem,
      @Nullable String completion,
      String answer) {
    return new Example(
        id,
        new ClusterId(cluster),
        List.of(new InteractionId("i-" + id)),
        at,
        null,
        tenant,
        null,
        Map.of(),
        List.of(Message.user(problem)),
        completion,
        answer,
        new VerifierSpec("numeric", Map.of()),
        1,
        1,
        completion == null ? Split.VALIDATION : Split.TRAIN);
  }
}
