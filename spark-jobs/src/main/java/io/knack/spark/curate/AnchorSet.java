package io.knack.spark.curate;

import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.store.Digests;
import io.knack.spark.frame.Whole;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The fixed mixed set outside of every cluster that must notice harm. It is the only set that is
 * guarded by text: nothing in its words is learnt.
 */
final class AnchorSet {
  private final CuratePlan plan;
  private final List<Example> examples;

  /** Earlier anchors stay for ever; new ones come from outside every cluster, by a stable hash. */
  AnchorSet(CuratePlan plan, List<Candidate> verifiable, List<Example> earlier) {
    this.plan = plan;
    this.examples = new ArrayList<>(earlier);
    int size =
        verifiable.stream().allMatch(AnchorSet::ofEverything)
            ? Math.min(plan.anchorSize(), verifiable.size() / 20)
            : plan.anchorSize();
    Set<String> texts =
        earlier.stream()
            .map(example -> Candidate.normal(example.problem()))
            .collect(Collectors.toCollection(HashSet::new));
    List<Candidate> pool =
        verifiable.stream()
            .filter(candidate -> candidate.clusterId() == null || ofEverything(candidate))
            .sorted(Comparator.comparing(this::draw))
            .toList();
    for (Candidate candidate : pool) {
      if (examples.size() >= size) {
        break;
      }
      if (texts.add(candidate.problemText())) {
        examples.add(Examples.of(candidate, null, Split.ANCHOR, List.of(candidate), 1));
      }
    }
  }

  /** Where everything is one cluster, nothing lies outside: the anchor is taken from it. */
  private static boolean ofEverything(Candidate candidate) {
    return candidate.clusterId() != null && Whole.is(candidate.clusterId());
  }

  List<Example> examples() {
    return List.copyOf(examples);
  }

  /** What is in a cluster and neither in the anchor nor in its words. */
  List<Candidate> outside(List<Candidate> verifiable, Steps steps) {
    Set<InteractionId> ids = new HashSet<>();
    Set<String> texts = new HashSet<>();
    for (Example example : examples) {
      ids.addAll(example.sourceInteractionIds());
      texts.add(Candidate.normal(example.problem()));
    }
    List<Candidate> clustered =
        steps.took(
            "in a cluster",
            verifiable,
            verifiable.stream().filter(candidate -> candidate.clusterId() != null).toList(),
            "of no cluster: the anchor is drawn from these");
    return steps.took(
        "outside the anchor",
        clustered,
        clustered.stream()
            .filter(
                candidate ->
                    !ids.contains(candidate.interaction().id())
                        && !texts.contains(candidate.problemText()))
            .toList(),
        "in the anchor, or in its words");
  }

  private String draw(Candidate candidate) {
    return Digests.sha256(plan.seed() + "\nanchor\n" + candidate.interaction().id().value());
  }
}
