package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.plan.Plans;
import io.knack.practice.features.HashedSpace;
import io.knack.practice.features.TextVector;
import io.knack.spark.mine.Agreement.Count;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class GroupingTest {
  private static final String[] PROBLEMS = {
    "my %s card has not arrived in the post yet",
    "i forgot the password for %s login, please reset it",
    "the shop owes me money for a %s refund",
    "which gate does the delayed %s flight leave from",
  };
  private static final String[] RULES = {
    "Amber Ridge postage", "Linen Forge rebate", "Kelp Tower surcharge"
  };
  private static final String[] FORMS = {
    "At %1$s: a %2$s lamp is sold. What is due under %1$s?",
    "Two %2$s chairs come back, by %1$s. Use %1$s; how much remains?",
    "The %2$s order is split in three. %1$s holds. Under %1$s, name the shares."
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
    Grouping grouping = group(texts);
    List<Count> counts = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      counts.add(new Count(i / DETAILS.length, "f" + grouping.family()[i], 1));
    }
    assertThat(Agreement.adjustedRand(counts)).isGreaterThan(0.6);
  }

  @Test
  void formsOfOneProblemAreOneClusterWhateverTheirTemplate() {
    List<String> texts = new ArrayList<>();
    List<Integer> truth = new ArrayList<>();
    for (int rule = 0; rule < RULES.length; rule++) {
      for (int form = 0; form < FORMS.length; form++) {
        for (String detail : DETAILS) {
          texts.add(FORMS[form].formatted(RULES[rule], detail));
          truth.add(rule);
        }
      }
    }
    Grouping grouping = group(texts);
    List<Count> counts = new ArrayList<>();
    int covered = 0;
    for (int i = 0; i < texts.size(); i++) {
      if (grouping.cluster()[i] >= 0) {
        counts.add(new Count(truth.get(i), "c" + grouping.cluster()[i], 1));
        covered++;
      }
    }
    assertThat(covered).isGreaterThan(texts.size() * 9 / 10);
    assertThat(Agreement.adjustedRand(counts)).isGreaterThan(0.9);
  }

  private static Grouping group(List<String> texts) {
    HashedSpace space = HashedSpace.fit(texts, 1);
    TextVector[] vectors = texts.stream().map(space::features).toArray(TextVector[]::new);
    int[] copies = new int[texts.size()];
    Arrays.fill(copies, 1);
    MinePlan plan = Plans.read(MinePlan.class, null, List.of());
    return Grouping.of(vectors, copies, Families.Purpose.PEOPLE, plan);
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
