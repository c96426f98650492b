package io.knack.consolidation.draft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedWordingTest {
  private static final List<String> RAPIDS =
      List.of(
          "At Nutmeg Rapids: Ana buys 4 mugs at 7 each. Nutmeg Rapids membership applies. What is"
              + " to pay?",
          "Nutmeg Rapids. 3 rugs at 9 each are ordered by Ben. Use Nutmeg Rapids membership. Total?",
          "At Nutmeg Rapids: Cleo buys 2 hats at 9 each. Nutmeg Rapids membership applies. What is"
              + " to pay?");

  private static List<String> others() {
    List<String> others = new ArrayList<>();
    for (String name : List.of("Coral Quarry", "Amber Dune", "Jade Pier", "Opal Mill")) {
      for (String kind : List.of("shipping", "membership", "wrapping")) {
        others.add(
            "At %s: Ana buys 5 pens at 3 each. %s %s applies. What is to pay?"
                .formatted(name, name, kind));
        others.add("%s. Use %s %s. Total?".formatted(name, name, kind));
      }
    }
    return others;
  }

  private static SharedWording wording(List<String> cluster) {
    SharedWording wording = new SharedWording();
    wording.count(cluster);
    wording.count(others());
    return wording;
  }

  @Test
  void aMisspeltNameIsTakenFromTheProblems() {
    SharedWording wording = wording(RAPIDS);
    assertThat(wording.of("if Nutmeg Harbor membership", RAPIDS, RAPIDS))
        .contains("if Nutmeg Rapids membership");
    assertThat(wording.of("if Maple Dune membership", List.of(RAPIDS.get(1)), RAPIDS))
        .contains("if Nutmeg Rapids membership");
    // What all problems say is no part of it, even when every case has the same wording.
    List<String> alike = List.of(RAPIDS.get(0), RAPIDS.get(2));
    assertThat(wording(alike).of("Harbor", alike, alike).orElseThrow())
        .contains("Nutmeg Rapids")
        .doesNotContain("applies", "What", "Ana", "each");
  }

  @Test
  void wordsThatNothingSharesAreNoOccasion() {
    SharedWording wording = new SharedWording();
    List<String> mixed = List.of("red apples", "blue pears", "green plums", "black figs");
    wording.count(mixed);
    wording.count(others());
    assertThat(wording.of("if Red Pears", List.of(mixed.get(0)), mixed)).isEmpty();
    assertThat(wording.of("if Red Pears", List.of(), mixed)).isEmpty();
  }

  @Test
  void numbersAreNoPartOfAnOccasion() {
    List<String> cluster = List.of("Plan Zeta 9 costs what?", "Plan Zeta 9 costs what today?");
    assertThat(wording(cluster).of("Zeto", cluster, cluster).orElseThrow())
        .contains("Plan Zeta")
        .doesNotContain("9");
  }

  @Test
  void standsAsItIsOrNot() {
    assertThat(SharedWording.stands("if nutmeg rapids membership", RAPIDS)).isTrue();
    assertThat(SharedWording.stands("if Nutmeg membership", RAPIDS)).isFalse();
    assertThat(SharedWording.stands("if pay nutmeg", RAPIDS)).as("over two sentences").isFalse();
    assertThat(SharedWording.stands("", RAPIDS)).isTrue();
  }
}
