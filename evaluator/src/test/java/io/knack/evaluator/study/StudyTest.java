package io.knack.evaluator.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.knack.contracts.Example;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.PriceBook;
import io.knack.contracts.Split;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import io.knack.evaluator.measure.ToyWorld;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.route.MemoryPrompt;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.verify.Verifiers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StudyTest {
  @TempDir Path home;

  @Test
  void eachCellComparesTheSameProblems() throws IOException {
    ToyWorld.night(home, 30, Set.of());
    List<Example> kiwi =
        Tables.EXAMPLES
            .readAllFrom(
                ArtifactStore.open(home).latest(ArtifactKind.CURRICULUM).orElseThrow().directory())
            .stream()
            .filter(e -> e.split() == Split.HOLDOUT && e.problem().contains("kiwi"))
            .toList();
    TreeMap<String, List<Example>> levels = new TreeMap<>();
    levels.put("S1", kiwi);
    levels.put("S5", kiwi.subList(0, 10));
    MemoryPrompt prompt = new MemoryPrompt(PromptForm.INSTRUCT);
    Study study =
        new Study(
            ToyWorld.model(),
            new Verifiers(home, null),
            SolverOptions.defaults(PromptForm.INSTRUCT),
            PriceBook.DEFAULT,
            1);
    Study.Result result =
        study.run(
            List.of("best_of_n"),
            List.of(arm("episodes", prompt, "teaches kiwi: 6"), arm("reflect", prompt, "idle")),
            List.of(arm("episodes", prompt, "poison")),
            levels,
            List.of(),
            Console.silent());

    assertThat(result.settings()).hasSize(4);
    Study.Setting episodes = result.settings().get(0);
    assertThat(episodes.problems()).isEqualTo(30);
    assertThat(episodes.relativeCost()).isLessThan(0.5);
    assertThat(episodes.relativeCostLow()).isLessThan(episodes.relativeCost());
    assertThat(episodes.relativeAllIn()).isGreaterThan(episodes.relativeCost());
    assertThat(result.fasterBy10Percent()).isGreaterThanOrEqualTo(1);
    assertThat(result.withoutTriggers()).hasSize(1);
    assertThat(result.withoutTriggers().get(0).relativeAllIn()).isGreaterThan(1);
    assertThat(result.trapAllInWithoutTriggers()).isGreaterThan(1);
    assertThat(result.trapAllIn()).isBetween(0.0, 2.0);
    assertThat(StudyPage.render(result)).contains("episodes", "best_of_n", "S5");
  }

  @Test
  void ratesOfFiringHaveExactBounds() {
    // R: binom.test(3, 1000, alternative = "less"): 0.0077346
    Study.Firing firing = Study.Firing.of("S5", 1000, 3);
    assertThat(firing.high()).isCloseTo(0.0077, within(0.0001));
    assertThat(Study.Firing.of("S1", 1000, 0).low()).isZero();
    assertThat(Study.Firing.of("S1", 20, 20).high()).isEqualTo(1);
    assertThat(Study.Firing.of("S1", 20, 20).low())
        .isCloseTo(Math.pow(0.05, 1 / 20.0), within(1e-9));
  }

  @Test
  void theProbabilityOfACorrelationIsStudents() {
    // r = -0.41 over 80 settings: the paper's figures.
    assertThat(Study.probability(-0.41, 80)).isCloseTo(0.0002, within(0.00005));
    assertThat(Study.probability(0, 80)).isCloseTo(1, within(1e-9));
  }

  private static Study.Arm arm(String memory, MemoryPrompt prompt, String solution) {
    EpisodeText episode =
        new EpisodeText(
            new EpisodeId("e"),
            ToyWorld.problem("kiwi", 3),
            solution,
            ToyWorld.SPACE.vector(ToyWorld.problem("kiwi", 3)));
    return new Study.Arm() {
      @Override
      public String memory() {
        return memory;
      }

      @Override
      public Study.Asked ask(Example problem) {
        return new Study.Asked(
            prompt.messages(problem.messages(), List.of(), List.of(episode)), null, true, 200);
      }
    };
  }
}
