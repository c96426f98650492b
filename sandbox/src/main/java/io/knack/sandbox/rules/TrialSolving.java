package io.knack.sandbox.rules;

import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.VerifierSpec;
import io.knack.llm.LanguageModel;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.solve.Seeds;
import io.knack.practice.solve.Solution;
import io.knack.practice.solve.SolveTask;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifier;
import io.knack.practice.verify.Verifiers;
import io.knack.sandbox.base.BaseModel;
import io.knack.sandbox.world.HouseRule;
import io.knack.sandbox.world.Problem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Best of sixteen on problems of the trial, with and without rules. */
final class TrialSolving {
  static final VerifierSpec NUMERIC = new VerifierSpec("numeric", Map.of());

  private final LanguageModel model;
  private final long seed;
  private final Verifier verifier = Verifiers.of(NUMERIC);

  TrialSolving(LanguageModel model, long seed) {
    this.model = model;
    this.seed = seed;
  }

  /**
   * A problem to be solved.
   *
   * @param rule the one that is right
   * @param told rules in the prompt
   */
  record Asked(Problem problem, HouseRule rule, List<RuleText> told) {}

  /** In the order of what was asked; the same problem draws the same whatever is told. */
  List<Solution> solve(List<Asked> asked) {
    Prompts prompts = Prompts.of(PromptForm.SHORT);
    record Question(List<Message> messages, String answer) {}
    Map<Question, Integer> numbers = new LinkedHashMap<>();
    List<SolveTask> tasks = new ArrayList<>();
    List<Integer> places = new ArrayList<>();
    for (Asked one : asked) {
      String text = one.problem().text();
      Question question =
          new Question(
              prompts.problem(List.of(Message.user(text)), one.told(), List.of()),
              Integer.toString(one.problem().solve(one.rule()).answer()));
      Integer known = numbers.putIfAbsent(question, tasks.size());
      places.add(known == null ? tasks.size() : known);
      if (known == null) {
        tasks.add(
            new SolveTask(
                Integer.toString(tasks.size()),
                text,
                question.messages(),
                null,
                null,
                question.answer(),
                verifier,
                Seeds.of(seed, text.hashCode()),
                0));
      }
    }
    List<Solution> solutions = Solvers.named("best_of_n").solve(model, tasks, BaseModel.SOLVER);
    return places.stream().map(solutions::get).toList();
  }
}
