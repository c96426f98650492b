package io.knack.consolidation.reflect;

import io.knack.contracts.Budget;
import io.knack.contracts.Example;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ExampleId;
import io.knack.llm.LanguageModel;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.solve.Seeds;
import io.knack.practice.solve.Solution;
import io.knack.practice.solve.SolveTask;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifiers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Solves problems with and without rules, all arms in one batch. Both sides of a pair draw with the
 * same seeds.
 */
final class Replay {
  /** A set of rules tried on some problems. */
  record Arm(String name, List<RuleText> rules, List<Example> problems) {}

  /**
   * How one problem went.
   *
   * @param cost all-in, in the price book's currency
   */
  record Outcome(boolean passed, double cost, long completionTokens) {}

  /** Outcomes by problem. */
  record Result(Map<ExampleId, Outcome> outcomes) {
    long passed() {
      return outcomes.values().stream().filter(Outcome::passed).count();
    }

    double cost() {
      return outcomes.values().stream().mapToDouble(Outcome::cost).sum();
    }

    /** The same of some of the problems. */
    Result on(Collection<ExampleId> problems) {
      Map<ExampleId, Outcome> some = new LinkedHashMap<>(outcomes);
      some.keySet().retainAll(problems);
      return new Result(some);
    }

    /** What this saves over another arm on the same problems. */
    Saving over(Result other) {
      double sum = 0;
      double squares = 0;
      double tokens = 0;
      long helped = 0;
      long harmed = 0;
      long lost = 0;
      for (Map.Entry<ExampleId, Outcome> entry : outcomes.entrySet()) {
        Outcome mine = entry.getValue();
        Outcome theirs = other.outcomes().get(entry.getKey());
        if (theirs == null) {
          continue;
        }
        double saved = theirs.cost() - mine.cost();
        sum += saved;
        squares += saved * saved;
        tokens += theirs.completionTokens() - mine.completionTokens();
        boolean better = mine.passed() != theirs.passed() ? mine.passed() : saved > 0;
        boolean worse = mine.passed() != theirs.passed() ? theirs.passed() : saved < 0;
        helped += better ? 1 : 0;
        harmed += worse ? 1 : 0;
        lost += theirs.passed() && !mine.passed() ? 1 : 0;
      }
      int n = Math.max(1, outcomes.size());
      return new Saving(
          passed() - other.passed(),
          other.cost() == 0 ? 0 : sum / other.cost(),
          squares == 0 ? 0 : sum / Math.sqrt(squares),
          tokens / n,
          helped,
          harmed,
          lost);
    }
  }

  /**
   * One arm compared with another.
   *
   * @param passes problems passed more, net
   * @param share of the other's cost that is saved
   * @param errors saving in standard errors (sum over root of the sum of squares)
   * @param tokens completion tokens saved a problem
   * @param lost problems that only the other passed
   */
  record Saving(
      long passes,
      double share,
      double errors,
      double tokens,
      long helped,
      long harmed,
      long lost) {

    boolean earns(ReflectPlan.Replaying plan) {
      return passes >= 0
          && lost <= plan.lost()
          && share >= plan.leastSaving()
          && errors >= plan.confidence();
    }

    /** Worse in passes, or dearer beyond doubt: in sum, or on most problems that differ. */
    boolean harms(ReflectPlan.Replaying plan) {
      double signs = (helped - harmed) / Math.sqrt((double) Math.max(1, helped + harmed));
      return failsMore() || (share < 0 && Math.min(errors, signs) <= -plan.confidence());
    }

    /** Worse in passes, and on most problems that differ. */
    boolean failsMore() {
      return passes < 0 && helped < harmed;
    }

    /**
     * Passes what the other passes and more. A rule that is right passes all that it is asked, so
     * one problem that it fails in all its samples and another rule passes tells the two apart.
     */
    boolean corrects() {
      return passes > 0 && lost == 0;
    }
  }

  private final LanguageModel model;
  private final ReflectPlan plan;
  private final Verifiers verifiers;
  private final Console.Progress progress;
  private Budget spent = Budget.ZERO;
  private long faults;

  /**
   * @param progress steps once a problem
   */
  Replay(LanguageModel model, ReflectPlan plan, Verifiers verifiers, Console.Progress progress) {
    this.model = model;
    this.plan = plan;
    this.verifiers = verifiers;
    this.progress = progress;
  }

  /** All that replaying cost so far. */
  Budget spent() {
    return spent;
  }

  long faults() {
    return faults;
  }

  /** Results by the name of the arm. */
  Map<String, Result> run(List<Arm> arms) {
    return run(arms, plan.method(), plan.solver());
  }

  /** The same with one answer a problem. */
  Map<String, Result> firstAnswers(List<Arm> arms) {
    return run(arms, "best_of_n", plan.solver().withMaxSamples(1));
  }

  private Map<String, Result> run(List<Arm> arms, String method, SolverOptions options) {
    Prompts prompts = Prompts.of(plan.solver().form());
    // Ways often come to the same rule: what is asked twice is solved once.
    record Question(List<Message> messages, ExampleId problem) {}
    record Place(String arm, ExampleId problem) {}
    Map<Question, List<Place>> places = new HashMap<>();
    Map<String, List<Place>> byTask = new HashMap<>();
    List<SolveTask> tasks = new ArrayList<>();
    Map<String, Result> results = new LinkedHashMap<>();
    for (Arm arm : arms) {
      if (results.put(arm.name(), new Result(new LinkedHashMap<>())) != null) {
        throw new IllegalArgumentException("two arms are called " + arm.name());
      }
      for (Example problem : arm.problems()) {
        Question question =
            new Question(prompts.problem(problem.messages(), arm.rules(), List.of()), problem.id());
        List<Place> asked = places.computeIfAbsent(question, q -> new ArrayList<>());
        asked.add(new Place(arm.name(), problem.id()));
        if (asked.size() > 1) {
          continue;
        }
        String id = Integer.toString(tasks.size());
        byTask.put(id, asked);
        tasks.add(
            new SolveTask(
                id,
                problem.problem(),
                question.messages(),
                null,
                null,
                problem.reference(),
                verifiers.verifier(problem.verifier()),
                Seeds.of(plan.seed(), problem.id().value().hashCode()),
                0));
      }
    }
    Solvers.named(method)
        .solve(
            model,
            tasks,
            options,
            (task, solution) -> {
              Outcome outcome = outcome(solution);
              progress.step(1);
              for (Place place : byTask.getOrDefault(task.id(), List.of())) {
                Result result = results.get(place.arm());
                if (result != null) {
                  result.outcomes().put(place.problem(), outcome);
                }
              }
            });
    return results;
  }

  private Outcome outcome(Solution solution) {
    spent = spent.plus(solution.budget());
    faults += solution.fault() == null ? 0 : 1;
    return new Outcome(
        solution.passed(),
        plan.prices().cost(solution.budget()),
        solution.budget().completionTokens());
  }
}
