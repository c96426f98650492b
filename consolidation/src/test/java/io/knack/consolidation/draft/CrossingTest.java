package io.knack.consolidation.draft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CrossingTest {
  private static final Draft DRAFT =
      new Draft("if Jade Pier delivery", "below 25 add 4, else take 3", "");

  @Test
  void numbersOfTheSameWordingAreExchangedOneAtATime() {
    List<Draft> variants =
        Crossing.variants(
            DRAFT,
            List.of(
                "3*4=12\nbelow 30 add 4, else take 6\n12<30\n12+4=16\nA: 16",
                "below  30  add 4, else take 6",
                "below 25 add 7, else take 3",
                "add 9",
                "below 1 add 2"),
            12);
    assertThat(variants)
        .extracting(Draft::then)
        .containsExactly(
            "below 30 add 4, else take 3",
            "below 25 add 4, else take 6",
            "below 25 add 7, else take 3");
    assertThat(variants).allMatch(v -> v.when().equals(DRAFT.when()));
    assertThat(Crossing.variants(DRAFT, List.of("below 30 add 5, else take 6"), 2)).hasSize(2);
  }

  @Test
  void otherWordingsAndTextsWithoutNumbersLendNothing() {
    assertThat(Crossing.variants(DRAFT, List.of("above 30 add 4, else take 6"), 12)).isEmpty();
    assertThat(Crossing.variants(DRAFT, List.of("below 301add 4, else take 6"), 12)).isEmpty();
    assertThat(Crossing.variants(new Draft("", "round down", ""), List.of("round up 3"), 12))
        .isEmpty();
    assertThat(
            Crossing.variants(
                new Draft("", "add 1.5 (net)", ""), List.of("add 2.25 (net)", "add 2"), 12))
        .extracting(Draft::then)
        .containsExactly("add 2.25 (net)");
  }
}
