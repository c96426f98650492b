package io.knack.evaluator.measure;

import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.table.Tables;
import io.knack.practice.solve.Seeds;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A night's examples by split. */
record Curriculum(
    List<Example> train, List<Example> validation, List<Example> holdout, List<Example> anchor) {

  static Curriculum read(Artifact curriculum) {
    Map<Split, List<Example>> bySplit =
        Tables.EXAMPLES.readAllFrom(curriculum.directory()).stream()
            .sorted(Comparator.comparing((Example e) -> e.id().value()))
            .collect(Collectors.groupingBy(Example::split));
    Curriculum problems =
        new Curriculum(
            bySplit.getOrDefault(Split.TRAIN, List.of()),
            bySplit.getOrDefault(Split.VALIDATION, List.of()),
            bySplit.getOrDefault(Split.HOLDOUT, List.of()),
            bySplit.getOrDefault(Split.ANCHOR, List.of()));
    problems.refuseLeaks();
    return problems;
  }

  private void refuseLeaks() {
    Set<InteractionId> learnt = new HashSet<>();
    train.forEach(e -> learnt.addAll(e.sourceInteractionIds()));
    for (List<Example> sealed : List.of(validation, holdout, anchor)) {
      for (Example example : sealed) {
        for (InteractionId id : example.sourceInteractionIds()) {
          if (learnt.contains(id)) {
            throw new ContractException(
                "leaked holdout: interaction "
                    + id
                    + " is in the "
                    + example.split().name().toLowerCase(Locale.ROOT)
                    + " split and was trained on");
          }
        }
      }
    }
  }

  /** What triggers may be fitted on. */
  List<Example> known() {
    return Stream.concat(train.stream(), validation.stream()).toList();
  }

  Set<String> learntTexts() {
    return train.stream().map(e -> e.problem().strip()).collect(Collectors.toSet());
  }

  /** Validation problems of each cluster, the same number at most. */
  Map<ClusterId, List<Example>> sample(List<ClusterId> competing, EvaluatePlan plan) {
    Map<ClusterId, List<Example>> sample = new LinkedHashMap<>();
    competing.forEach(id -> sample.put(id, new ArrayList<>()));
    for (Example example : shuffled(validation, plan.seed())) {
      List<Example> list = example.clusterId() == null ? null : sample.get(example.clusterId());
      if (list != null && list.size() < plan.sampling().screening()) {
        list.add(example);
      }
    }
    return sample;
  }

  /** By a hash of id and seed: an order that no outcome has touched. */
  static List<Example> shuffled(List<Example> examples, long seed) {
    Map<Example, Long> keys = new HashMap<>();
    examples.forEach(e -> keys.put(e, Seeds.of(seed, e.id().value().hashCode())));
    return examples.stream()
        .sorted(
            Comparator.comparing((Example e) -> Objects.requireNonNull(keys.get(e)))
                .thenComparing(e -> e.id().value()))
        .toList();
  }

  /** Whether enough validation problems are a tenant's of a cluster to judge a memory by them. */
  boolean validates(LiveEntries.Owner owner) {
    return validation.stream()
            .filter(
                e ->
                    owner.cluster().equals(e.clusterId())
                        && (owner.tenant() == null || owner.tenant().equals(e.tenant())))
            .limit(Screening.LEAST_PROBLEMS)
            .count()
        == Screening.LEAST_PROBLEMS;
  }
}
