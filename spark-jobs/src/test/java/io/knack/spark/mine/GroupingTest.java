package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.plan.Plans;
import io.knack.practice.features.HashedSpace;
import io.knack.practice.features.TextVector;
import io.knack.spark.mine.Agreement.Count;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class GroupingTest {
  private static final String[] PROBLEMS = {
    "my %s card has not arrived in the post yet",
    "i forgot the password for %s login, please reset it",
    "the shop owes me money for a %s refund",
    "which gate does the delayed %s flight leave from",
  };
  private static final String[] DETAILS = {
    "new", "second", "blue", "old", "main", "lost", "work", "family", "summer", "other", "last",
    "big"
  };

  @Test
  void problemsFallTogether() {
    List<String> texts = new ArrayList<>();
    for (String problem : PROBLEMS) {
      for (String detail : DETAILS) {
        texts.add(problem.formatted(detail));
      }
    }
    int size = DETAILS.length;
    HashedSpace space = HashedSpace.fit(texts, 1);
    TextVector[] vectors = texts.stream().map(space::features).toArray(TextVector[]::new);
    NeighbourGraph graph = NeighbourGraph.empty(texts.size(), 10);
    Cell.neighbours(IntStream.range(0, texts.size()).toArray(), vectors, 10, graph::offer);
    int[] copies = new int[texts.size()];
    Arrays.fill(copies, 1);
    MinePlan plan = Plans.read(MinePlan.class, null, List.of());
    Grouping grouping = Grouping.of(graph, copies, plan);
    List<Count> counts = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      counts.add(new Count(i / size, "f" + grouping.family()[i], 1));
    }
    assertThat(Agreement.adjustedRand(counts)).isGreaterThan(0.6);
  }

  @Test
  void theShippedPlanHoldsTheDefaults() {
    Path shipped = Path.of(System.getProperty("knack.root", "..")).resolve("config/mine.yaml");
    assertThat(Plans.read(MinePlan.class, shipped, List.of()))
        .isEqualTo(Plans.read(MinePlan.class, null, List.of()));
  }

  @Test
  void agreementIsOneForTheTruthAndZeroForOneHeap() {
    List<Count> truth = List.of(new Count(0, "a", 5), new Count(1, "b", 5));
    List<Count> heap = List.of(new Count(0, "a", 5), new Count(1, "a", 5));
    assertThat(Agreement.adjustedRand(truth)).isEqualTo(1);
    assertThat(Agreement.adjustedRand(heap)).isEqualTo(0);
    assertThat(Agreement.meanF1(truth, 0)).isEqualTo(1);
  }
}
