package io.knack.practice.solve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.GenerationRequest;
import io.knack.practice.ScriptedModel;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.verify.Check;
import io.knack.practice.verify.Verification;
import io.knack.practice.verify.Verifier;
import io.knack.practice.verify.Verifiers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class SolversTest {
  private static final SolverOptions SHORT = SolverOptions.defaults(PromptForm.SHORT);
  private static final Verifier NUMERIC = Verifiers.of(new VerifierSpec("numeric", Map.of()));

  static SolveTask task(String id, String problem, String reference, Verifier verifier) {
    List<Message> base =
        Prompts.of(PromptForm.SHORT).problem(List.of(Message.user(problem)), List.of(), List.of());
    return new SolveTask(id, problem, base, null, null, reference, verifier, id.hashCode(), 5);
  }

  /** Which draw of a task a request is, by its seed. */
  static int draw(String id, long seed) {
    for (int i = 0; i < 100; i++) {
      if (Seeds.of(id.hashCode(), i) == seed) {
        return i;
      }
    }
    throw new AssertionError("not a seed of " + id);
  }

  @Test
  void bestOfNStopsAtTheFirstThatPassesAndCountsToTheToken() {
    // "Q: p \n" is 3 tokens; "A: n" is 2 and the stop token.
    ScriptedModel model = new ScriptedModel(4, (prompt, seed, index) -> "A: " + draw("t", seed));
    Solution solution =
        Solvers.named("best_of_n")
            .solve(model, List.of(task("t", "p", "2", NUMERIC)), SHORT)
            .get(0);

    assertThat(solution.passed()).isTrue();
    assertThat(solution.answer()).isEqualTo("A: 2");
    Budget b = solution.budget();
    assertThat(b.units()).isEqualTo(3);
    assertThat(b.promptTokens()).isEqualTo(9);
    assertThat(b.cachedPromptTokens()).isEqualTo(3);
    assertThat(b.completionTokens()).isEqualTo(9);
    assertThat(b.verifierCalls()).isEqualTo(3);
    assertThat(b.retrievalMicros()).isEqualTo(5);
    assertThat(solution.waste()).isEqualTo(Solution.Waste.NONE);
    assertThat(solution.attempts())
        .extracting(Attempt::outcome)
        .containsExactly(Outcome.FAILED, Outcome.FAILED, Outcome.VERIFIED);
    assertThat(solution.attempts()).extracting(Attempt::promptTokens).containsExactly(3L, 3L, 3L);
    assertThat(model.requests)
        .extracting(GenerationRequest::repeats)
        .containsExactly(false, true, true);
  }

  @Test
  void bestOfNGivesUpAtN() {
    ScriptedModel model = new ScriptedModel(4, (prompt, seed, index) -> "A: 1");
    Solution solution =
        Solvers.named("best_of_n")
            .solve(model, List.of(task("t", "p", "2", NUMERIC)), SHORT.withMaxSamples(5))
            .get(0);
    assertThat(solution.passed()).isFalse();
    assertThat(solution.fault()).isNull();
    assertThat(solution.budget().units()).isEqualTo(5);
    assertThat(solution.attempts()).hasSize(5);
    assertThat(solution.score()).isZero();
  }

  @Test
  void waveSharesThePromptCancelsTheRestAndCountsTheWaste() {
    // Sample 1 passes after 3 tokens, while sample 0 takes 3 and samples 2 and 3 would take 52.
    String slow = "x ".repeat(49) + "A: 9";
    ScriptedModel model =
        new ScriptedModel(
            8, (prompt, seed, index) -> index == 0 ? "A: 1" : index == 1 ? "A: 2" : slow);
    Solution solution =
        Solvers.named("best_of_n")
            .solve(model, List.of(task("t", "p", "2", NUMERIC)), SHORT.withWaveSize(4))
            .get(0);
    assertThat(solution.passed()).isTrue();
    assertThat(solution.budget().units()).isEqualTo(2);
    assertThat(solution.budget().promptTokens()).isEqualTo(3);
    assertThat(solution.waste().samples()).isEqualTo(2);
    assertThat(solution.waste().completionTokens()).isBetween(4L, 6L);
    assertThat(solution.budget().completionTokens())
        .isEqualTo(6 + solution.waste().completionTokens());
    assertThat(solution.attempts()).hasSize(2);
    assertThat(model.steps).isLessThan(6);
    assertThat(model.leftRunning).isZero();
    assertThat(model.openSessions).isZero();
  }

  @Test
  void waveTakesTheLowestIndexNotTheFastest() {
    ScriptedModel model =
        new ScriptedModel(8, (prompt, seed, index) -> index == 0 ? "think think A: 2" : "A: 2");
    Solution solution =
        Solvers.named("best_of_n")
            .solve(model, List.of(task("t", "p", "2", NUMERIC)), SHORT.withWaveSize(2))
            .get(0);
    assertThat(solution.answer()).isEqualTo("think think A: 2");
    assertThat(solution.budget().units()).isEqualTo(1);
    assertThat(solution.waste()).isEqualTo(new Solution.Waste(1, 3));
  }

  @Test
  void selfRefineAsksForFeedbackOnlyWhenARoundWillUseIt() {
    List<String> prompts = new ArrayList<>();
    ScriptedModel model =
        new ScriptedModel(
            4,
            (prompt, seed, index) -> {
              prompts.add(prompt);
              return prompt.endsWith("why:\n") ? "too low\nnoise" : "A: " + prompts.size();
            });
    Solution solution =
        Solvers.named("self_refine")
            .solve(model, List.of(task("t", "p", "5", NUMERIC)), SHORT)
            .get(0);
    assertThat(solution.passed()).isTrue();
    assertThat(solution.budget().units()).isEqualTo(3);
    assertThat(prompts)
        .containsExactly(
            "Q: p\n",
            "Q: p\ntry:\nA: 1\nwhy:\n",
            "Q: p\ntry:\nA: 1\nwhy:\ntoo low\nfix:\n",
            "Q: p\ntry:\nA: 1\nwhy:\ntoo low\ntry:\nA: 3\nwhy:\n",
            "Q: p\ntry:\nA: 1\nwhy:\ntoo low\ntry:\nA: 3\nwhy:\ntoo low\nfix:\n");
    assertThat(solution.budget().completionTokens()).isEqualTo(5 * 3);
    long promptTokens = prompts.stream().mapToLong(p -> ScriptedModel.tokens(p).size()).sum();
    assertThat(solution.budget().promptTokens()).isEqualTo(promptTokens);
    assertThat(solution.attempts()).hasSize(3);
  }

  @Test
  void selfRefineForgetsTheOldestAttemptWhenThePromptIsFull() {
    ScriptedModel model =
        new ScriptedModel(
            4, (prompt, seed, index) -> prompt.endsWith("why:\n") ? "no" : "x x x x x x x x A: 1");
    model.context = 300;
    SolverOptions options = SHORT.withMaxTokens(256);
    Solvers.named("self_refine").solve(model, List.of(task("t", "p", "5", NUMERIC)), options);
    assertThat(model.requests)
        .allSatisfy(
            r ->
                assertThat(
                        ScriptedModel.tokens(ScriptedModel.text(r.prompt())).size()
                            + r.sampling().maxTokens())
                    .isLessThanOrEqualTo(300));
  }

  @Test
  void treeExpandsTheBestFirstAndPrunes() {
    // Root: thoughts a (value 9), b (value 0), a again. Under a: a conclusion that fails, and c.
    Map<String, List<String>> children = new HashMap<>();
    children.put("Q: p\n", List.of("b", "a", "a"));
    children.put("Q: p\na\n", List.of("A: 1", "c", "d"));
    children.put("Q: p\na\nc\n", List.of("A: 7", "A: 5", "A: 5"));
    List<String> valued = new ArrayList<>();
    ScriptedModel model =
        new ScriptedModel(
            4,
            (prompt, seed, index) -> {
              if (prompt.endsWith("value:\n")) {
                valued.add(prompt);
                return prompt.contains("b\n") ? "0" : prompt.contains("d\n") ? "5" : "9";
              }
              return children.getOrDefault(prompt, List.of("?", "?", "?")).get(index) + "\nmore";
            });
    Solution solution =
        Solvers.named("tree_of_thoughts")
            .solve(model, List.of(task("t", "p", "5", NUMERIC)), SHORT)
            .get(0);
    assertThat(solution.passed()).isTrue();
    assertThat(solution.answer()).isEqualTo("a\nc\nA: 5");
    assertThat(solution.budget().units()).isEqualTo(3);
    assertThat(solution.budget().verifierCalls()).isEqualTo(3);
    assertThat(valued)
        .containsExactly(
            "Q: p\nb\nvalue:\n",
            "Q: p\na\nvalue:\n",
            "Q: p\na\nc\nvalue:\n",
            "Q: p\na\nd\nvalue:\n");
    long promptTokens =
        model.requests.stream()
            .mapToLong(r -> ScriptedModel.tokens(ScriptedModel.text(r.prompt())).size())
            .sum();
    assertThat(solution.budget().promptTokens()).isEqualTo(promptTokens);
    // 3 thoughts of 2 tokens; A: 1 takes 3, c and d 2; three conclusions of 3; four values of 2.
    assertThat(solution.budget().completionTokens()).isEqualTo(6 + 7 + 9 + 8);
  }

  @Test
  void treeEndsWhenEverythingIsPrunedOrTheNodesAreSpent() {
    ScriptedModel hopeless =
        new ScriptedModel(
            4, (prompt, seed, index) -> prompt.endsWith("value:\n") ? "1" : "step" + index);
    Solution pruned =
        Solvers.named("tree_of_thoughts")
            .solve(hopeless, List.of(task("t", "p", "5", NUMERIC)), SHORT)
            .get(0);
    assertThat(pruned.budget().units()).isEqualTo(1);
    ScriptedModel endless =
        new ScriptedModel(
            4, (prompt, seed, index) -> prompt.endsWith("value:\n") ? "9" : "step" + index);
    Solution spent =
        Solvers.named("tree_of_thoughts")
            .solve(endless, List.of(task("t", "p", "5", NUMERIC)), SHORT)
            .get(0);
    assertThat(spent.passed()).isFalse();
    assertThat(spent.budget().units()).isEqualTo(SHORT.maxNodes());
  }

  @Test
  void longChainStopsAtTheFirstConclusionThatPasses() {
    List<String> prompts = new ArrayList<>();
    ScriptedModel model =
        new ScriptedModel(
            4,
            (prompt, seed, index) -> {
              prompts.add(prompt);
              return "s\nA: " + prompts.size() + "\ncheck: ok";
            });
    Solution solution =
        Solvers.named("long_cot").solve(model, List.of(task("t", "p", "3", NUMERIC)), SHORT).get(0);
    assertThat(solution.passed()).isTrue();
    assertThat(prompts)
        .containsExactly(
            "Q: p\nlong:\n",
            "Q: p\nlong:\ns\nA: 1\ncheck: no\n",
            "Q: p\nlong:\ns\nA: 1\ncheck: no\ns\nA: 2\ncheck: no\n");
    // s, line break, A:, n, line break and the stop: six tokens a conclusion.
    assertThat(solution.budget().units()).isEqualTo(18);
    assertThat(solution.budget().completionTokens()).isEqualTo(18);
  }

  @Test
  void longChainEndsWithItsTokens() {
    ScriptedModel model = new ScriptedModel(4, (prompt, seed, index) -> "s\nA: 1\ncheck: ok");
    SolverOptions o =
        new SolverOptions(PromptForm.SHORT, 1, 16, 1, 256, 1, 1, 0, 8, 2, 3, 12, 32, 0.3, 20);
    Solution solution =
        Solvers.named("long_cot").solve(model, List.of(task("t", "p", "3", NUMERIC)), o).get(0);
    assertThat(solution.passed()).isFalse();
    assertThat(solution.budget().units()).isEqualTo(20);
  }

  /** Replies that depend on prompt, seed and index alone, and pass now and then. */
  private static String noise(String prompt, long seed, int index) {
    if (prompt.endsWith("value:\n")) {
      return Long.toString(Math.floorMod(prompt.hashCode(), 10));
    }
    long h = Seeds.of(seed, index * 31L + prompt.hashCode());
    String filler = "x ".repeat(Math.floorMod(h, 7));
    return filler + "A: " + Math.floorMod(h >> 8, 4) + "\ncheck: no";
  }

  @Test
  void solutionsDoNotDependOnCompanionsWidthOrOrder() {
    List<SolveTask> tasks = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      tasks.add(task("t" + i, "problem " + i, Integer.toString(i % 4), NUMERIC));
    }
    for (String method : Solvers.names()) {
      for (int wave : List.of(1, 3)) {
        SolverOptions options = SHORT.withWaveSize(wave);
        List<Solution> together =
            Solvers.named(method).solve(new ScriptedModel(16, SolversTest::noise), tasks, options);
        for (int i = 0; i < tasks.size(); i++) {
          Solution alone =
              Solvers.named(method)
                  .solve(new ScriptedModel(2, SolversTest::noise), tasks.subList(i, i + 1), options)
                  .get(0);
          assertThat(essence(together.get(i))).as(method).isEqualTo(essence(alone));
        }
        assertThat(together).as(method).anyMatch(Solution::passed);
      }
    }
  }

  /** Everything but times and the tokens of cancelled samples. */
  private static List<Object> essence(Solution s) {
    Budget b = s.budget();
    return List.of(
        s.passed(),
        s.score(),
        s.answer(),
        s.attempts(),
        b.promptTokens(),
        b.completionTokens() - s.waste().completionTokens(),
        b.units(),
        b.verifierCalls());
  }

  @Test
  void batchStaysFullOverManyTasks() {
    List<SolveTask> tasks = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      tasks.add(task("t" + i, "problem " + i, Integer.toString(i % 4), NUMERIC));
    }
    ScriptedModel model = new ScriptedModel(32, SolversTest::noise);
    List<String> order = new ArrayList<>();
    long[] tokens = {0};
    Solvers.named("best_of_n")
        .solve(
            model,
            tasks,
            SHORT,
            (task, solution) -> {
              order.add(task.id());
              tokens[0] += solution.budget().completionTokens();
            });
    assertThat(order).doesNotHaveDuplicates().hasSize(600);
    assertThat(model.sessions).isEqualTo(1);
    assertThat(model.widest).isEqualTo(32);
    // Only the last tasks leave places free.
    assertThat(model.steps).isLessThan(tokens[0] / 32 + 150);
    assertThat(model.steps * 32 * 4 / 5).isLessThan(tokens[0]);
  }

  @Test
  void slowVerifiersDoNotHoldUpTheBatchAndAreCancelled() {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      Verifier slow =
          new Verifier() {
            @Override
            public Verification verify(Check check) {
              return NUMERIC.verify(check);
            }

            @Override
            public CompletableFuture<Verification> submit(Check check) {
              return CompletableFuture.supplyAsync(() -> verify(check), pool);
            }
          };
      List<SolveTask> tasks = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        tasks.add(task("t" + i, "problem " + i, Integer.toString(i % 4), slow));
      }
      List<Solution> here =
          Solvers.named("best_of_n").solve(new ScriptedModel(8, SolversTest::noise), tasks, SHORT);
      List<Solution> there =
          Solvers.named("best_of_n")
              .solve(
                  new ScriptedModel(8, SolversTest::noise),
                  tasks.stream()
                      .map(t -> task(t.id(), t.problem(), String.valueOf(t.reference()), NUMERIC))
                      .toList(),
                  SHORT);
      assertThat(here.stream().map(SolversTest::essence))
          .isEqualTo(there.stream().map(SolversTest::essence).toList());
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void aVerifierThatAsksTheModelWaitsForTheSessionToClose() {
    ScriptedModel model = new ScriptedModel(8, SolversTest::noise);
    List<Integer> batches = new ArrayList<>();
    Verifier judge =
        new Verifier() {
          @Override
          public Verification verify(Check check) {
            throw new AssertionError("one by one");
          }

          @Override
          public List<Verification> verifyAll(List<Check> checks) {
            assertThat(model.openSessions).isZero();
            batches.add(checks.size());
            return checks.stream().map(NUMERIC::verify).toList();
          }

          @Override
          public boolean asksModel() {
            return true;
          }
        };
    List<SolveTask> tasks = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      tasks.add(task("t" + i, "problem " + i, Integer.toString(i % 4), judge));
    }
    assertThat(Solvers.named("best_of_n").solve(model, tasks, SHORT))
        .hasSize(50)
        .anyMatch(Solution::passed);
    assertThat(batches.get(0)).isEqualTo(50);
    assertThat(batches.size()).isLessThanOrEqualTo(16);
  }

  @Test
  void agreementStopsWhenEnoughAnswersAgreeAndProvesNothing() {
    Verifier agreement = Verifiers.of(new VerifierSpec("agreement", Map.of("votes", "3")));
    String[] said = {"A: 1", "A: 2", "A: 2.0", "A: 3", "so A: 9\nA: 2"};
    ScriptedModel model = new ScriptedModel(1, (prompt, seed, index) -> said[draw("t", seed)]);
    Solution solution =
        Solvers.named("best_of_n")
            .solve(model, List.of(task("t", "p", "unused", agreement)), SHORT)
            .get(0);
    assertThat(solution.passed()).isTrue();
    assertThat(solution.budget().units()).isEqualTo(5);
    assertThat(solution.attempts()).extracting(Attempt::outcome).containsOnly(Outcome.UNKNOWN);
  }

  @Test
  void aFailingEndpointIsAFaultOfItsTaskAlone() {
    ScriptedModel model =
        new ScriptedModel(4, (prompt, seed, index) -> prompt.contains("bad") ? "FAIL" : "A: 2");
    List<Solution> solutions =
        Solvers.named("best_of_n")
            .solve(
                model,
                List.of(task("a", "bad", "2", NUMERIC), task("b", "good", "2", NUMERIC)),
                SHORT);
    assertThat(solutions.get(0).passed()).isFalse();
    assertThat(solutions.get(0).fault()).isEqualTo("model: the endpoint said 500");
    assertThat(solutions.get(1).passed()).isTrue();
  }

  @Test
  void aVerifierThatCannotSayIsAFaultUnlessItPassesLater() {
    Verifier moody =
        new Verifier() {
          @Override
          public Verification verify(Check check) {
            return check.earlier().isEmpty()
                ? new Verification(0, "", Budget.ZERO, "verifier died")
                : NUMERIC.verify(check);
          }
        };
    ScriptedModel model = new ScriptedModel(4, (prompt, seed, index) -> "A: " + draw("t", seed));
    Solution passed =
        Solvers.named("best_of_n").solve(model, List.of(task("t", "p", "2", moody)), SHORT).get(0);
    assertThat(passed.passed()).isTrue();
    assertThat(passed.fault()).isNull();
    assertThat(passed.attempts().get(0).score()).isNull();
    assertThat(passed.attempts().get(0).outcome()).isEqualTo(Outcome.UNKNOWN);
    Solution failed =
        Solvers.named("best_of_n").solve(model, List.of(task("t", "p", "99", moody)), SHORT).get(0);
    assertThat(failed.fault()).isEqualTo("verifier died");
  }

  @Test
  void namesAreKnownAndWrongOnesRefused() {
    assertThat(Solvers.names())
        .containsExactly("best_of_n", "tree_of_thoughts", "self_refine", "long_cot");
    assertThatThrownBy(() -> Solvers.named("magic"))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("no solver is called 'magic'; choose one of best_of_n");
    SolveTask twice = task("t", "p", "1", NUMERIC);
    assertThatThrownBy(
            () ->
                Solvers.named("best_of_n")
                    .solve(new ScriptedModel(1, SolversTest::noise), List.of(twice, twice), SHORT))
        .hasMessage("two tasks have the id 't'");
  }

  @Test
  void pairedArmsShareSeeds() {
    List<Long> first = new ArrayList<>();
    List<Long> second = new ArrayList<>();
    SolveTask plain = task("t", "p", "99", NUMERIC);
    SolveTask withMemory =
        new SolveTask(
            "other",
            "p",
            List.of(Message.user("rule: x\nQ: p\n")),
            null,
            null,
            "99",
            NUMERIC,
            plain.seed(),
            0);
    Solvers.named("best_of_n")
        .solve(
            new ScriptedModel(1, (p, seed, i) -> "A: " + add(first, seed)), List.of(plain), SHORT);
    Solvers.named("best_of_n")
        .solve(
            new ScriptedModel(1, (p, seed, i) -> "A: " + add(second, seed)),
            List.of(withMemory),
            SHORT);
    assertThat(second).isEqualTo(first).doesNotHaveDuplicates().hasSize(16);
  }

  private static int add(List<Long> seeds, long seed) {
    seeds.add(seed);
    return 0;
  }
}
