package io.knack.sandbox.world;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ProblemTest {
  private static Problem draw(Kind kind, SplittableRandom random) {
    Structure structure = Words.pick(List.of(Structure.values()), random);
    return Problem.draw(
        structure, kind, kind == Kind.PLAIN ? "" : Words.policyName(random), random);
  }

  @Test
  void everyWordingIsReadBack() {
    SplittableRandom random = new SplittableRandom(7);
    for (Kind kind : Kind.values()) {
      for (int i = 0; i < 300; i++) {
        Problem problem = draw(kind, random);
        String text = (i % 3 == 0 ? Personal.preface(random) : "") + problem.text();
        Problem read = Problem.read(text).orElseThrow();
        assertThat(read.text()).as(text).isEqualTo(problem.text());
        assertThat(read.kind()).isEqualTo(kind);
      }
    }
  }

  @Test
  void otherTextIsNoProblem() {
    assertThat(Problem.read("When do you open on Sunday?")).isEmpty();
  }

  @Test
  void solutionsAreSoundChains() {
    SplittableRandom random = new SplittableRandom(8);
    for (Kind kind : Kind.HOUSE) {
      for (int i = 0; i < 300; i++) {
        Problem problem = draw(kind, random);
        Problem.Solution solution = problem.solve(kind.draw(random));
        assertThat(solution.answer()).isBetween(1, 199);
        for (String line : solution.lines()) {
          check(line);
        }
        assertThat(solution.text()).endsWith("\nA: " + solution.answer());
      }
    }
  }

  /** Recomputes a line of arithmetic. */
  private static void check(String line) {
    if (line.matches("\\d+[-+*]\\d+=\\d+")) {
      List<String> parts = List.of(line.split("[-+*=]", -1));
      int a = Integer.parseInt(parts.get(0));
      int b = Integer.parseInt(parts.get(1));
      int c = line.contains("+") ? a + b : line.contains("*") ? a * b : a - b;
      assertThat(parts.get(2)).as(line).isEqualTo(Integer.toString(c));
    }
  }

  @Test
  void rulesDoWhatTheySay() {
    assertThat(new HouseRule.Threshold(20, 3, 4).apply(19, 1).total()).isEqualTo(22);
    assertThat(new HouseRule.Threshold(20, 3, 4).apply(20, 1).total()).isEqualTo(16);
    assertThat(new HouseRule.FeeThenDouble(3).apply(10, 1).total()).isEqualTo(26);
    assertThat(new HouseRule.DoubleThenFee(3).apply(10, 1).total()).isEqualTo(23);
    assertThat(new HouseRule.AddEach(4).apply(10, 3).total()).isEqualTo(22);
    assertThat(new HouseRule.TakeThenShip(5, 20, 8).apply(24, 1).total()).isEqualTo(27);
    assertThat(new HouseRule.TakeThenShip(5, 20, 8).apply(25, 1).total()).isEqualTo(20);
  }
}
