package io.knack.evaluator.measure;

import io.knack.contracts.Budget;
import io.knack.contracts.Trial;
import io.knack.contracts.cli.Console;
import io.knack.llm.LanguageModel;
import io.knack.practice.solve.Seeds;
import io.knack.practice.solve.Solution;
import io.knack.practice.solve.SolveTask;
import io.knack.practice.solve.Solver;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.verify.Verifiers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Asks a model many questions in one batch that is kept full. A problem has one seed, whatever the
 * arm; a problem that two arms ask in the same words of the same weights is solved once, since its
 * solution does not depend on its companions. Not thread-safe.
 */
public final class Asker {
  private static final long LEAST_CAP = 16;

  private final LanguageModel model;
  private final Solver solver;
  private SolverOptions options;
  private final Verifiers verifiers;
  private final long seed;
  private final Map<String, Solution> known = new HashMap<>();
  private Budget spent = Budget.ZERO;
  private long solved;
  private long longestAnswer;

  public Asker(
      LanguageModel model, Solver solver, SolverOptions options, Verifiers verifiers, long seed) {
    this.model = model;
    this.solver = solver;
    this.options = options;
    this.verifiers = verifiers;
    this.seed = seed;
  }

  /** A question with its answer. */
  public record Answered(Question question, Solution solution, Trial trial) {}

  /** Answers in the order of the questions. */
  public List<Answered> ask(List<Question> questions, Console.Progress progress) {
    Map<String, SolveTask> open = new LinkedHashMap<>();
    for (Question question : questions) {
      String asked = question.asked();
      if (!known.containsKey(asked)) {
        open.putIfAbsent(asked, task(question, open.size()));
      }
    }
    progress.step(questions.size() - open.size()); // Asked before, or twice.
    Map<String, Solution> byTask = new HashMap<>();
    solver.solve(
        model,
        List.copyOf(open.values()),
        options,
        (task, solution) -> {
          byTask.put(task.id(), solution);
          spent = spent.plus(solution.budget());
          solved++;
          solution
              .attempts()
              .forEach(a -> longestAnswer = Math.max(longestAnswer, a.completionTokens()));
          progress.step(1);
        });
    open.forEach((asked, task) -> known.put(asked, Objects.requireNonNull(byTask.get(task.id()))));
    List<Answered> answers = new ArrayList<>(questions.size());
    for (Question question : questions) {
      Solution solution = Objects.requireNonNull(known.get(question.asked()));
      answers.add(new Answered(question, solution, trial(question, solution)));
    }
    return answers;
  }

  /** Forgets answers, so that memory does not grow with the night. */
  public void forget() {
    known.clear();
  }

  /** Everything that was spent so far, questions asked twice counted once. */
  public Budget spent() {
    return spent;
  }

  /**
   * From now on an answer may have twice as many tokens as the longest so far, and no more than the
   * plan allows: both sides alike. A cap that no honest answer reaches, but that bounds what a
   * problem can cost, decides how fast a saving is proved.
   */
  public SolverOptions tighten() {
    if (longestAnswer > 0) {
      long most = Math.max(LEAST_CAP, 2 * longestAnswer);
      options = options.withMaxTokens((int) Math.min(options.maxTokens(), most));
    }
    return options;
  }

  /** Problems solved so far. */
  public long solved() {
    return solved;
  }

  private SolveTask task(Question question, int at) {
    return new SolveTask(
        question.example().id() + "#" + at,
        question.example().problem(),
        question.messages(),
        null,
        question.adapter(),
        question.example().reference(),
        verifiers.verifier(question.example().verifier()),
        seedOf(question),
        0);
  }

  private long seedOf(Question question) {
    long hash = 1125899906842597L;
    String id = question.example().id().value();
    for (int i = 0; i < id.length(); i++) {
      hash = 31 * hash + id.charAt(i);
    }
    return Seeds.of(seed, hash);
  }

  private Trial trial(Question question, Solution solution) {
    Budget budget = solution.budget();
    Budget booked =
        new Budget(
            budget.promptTokens(),
            budget.cachedPromptTokens(),
            budget.completionTokens(),
            budget.units(),
            budget.verifierCalls(),
            budget.judgeCalls(),
            budget.judgeTokens(),
            question.retrievalMicros(),
            budget.wallMicros());
    return new Trial(
        question.example().id(),
        question.example().clusterId(),
        question.example().tenant(),
        question.example().tags(),
        question.arm(),
        solver.name(),
        seedOf(question),
        question.similarity(),
        question.fired(),
        solution.passed(),
        solution.score(),
        solution.fault(),
        booked);
  }
}
