package io.knack.spark.curate;

import io.knack.contracts.Attempt;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.store.Digests;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Candidates as the rows that a curriculum hands on. */
final class Examples {
  private Examples() {}

  /**
   * @param candidate whose words and shortest verified solution, if there is one, are taken
   * @param sources all interactions behind it
   */
  static Example of(
      Candidate candidate,
      @Nullable ClusterId cluster,
      Split split,
      List<Candidate> sources,
      double weight) {
    Interaction it = candidate.interaction();
    Attempt answer = candidate.solution().orElse(null);
    List<InteractionId> ids =
        sources.stream()
            .map(source -> source.interaction().id())
            .sorted(Comparator.comparing(InteractionId::value))
            .toList();
    String key =
        split == Split.TRAIN
            ? "train\n" + cluster + "\n" + candidate.requestDigest()
            : split + "\n" + it.id().value();
    return new Example(
        new ExampleId("x" + Digests.sha256(key).substring(0, 24)),
        cluster,
        ids,
        it.occurredAt(),
        it.conversation(),
        it.tenant(),
        it.subject(),
        it.tags(),
        it.messages(),
        answer == null ? null : answer.text(),
        it.reference(),
        Objects.requireNonNull(candidate.verifier(), "only what can be verified gets here"),
        answer == null ? 0 : answer.score() == null ? 1 : answer.score(),
        weight,
        split);
  }
}
