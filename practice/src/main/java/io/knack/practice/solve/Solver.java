package io.knack.practice.solve;

import io.knack.llm.LanguageModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A way to find an answer that stops as soon as one is good enough. Tasks are solved together in
 * one batch that is kept full; the solution of a task does not depend on its companions, save for
 * times and for the tokens of cancelled samples. Stateless.
 */
public interface Solver {
  /** As in a plan: {@code best_of_n}, say. */
  String name();

  /** What {@link io.knack.contracts.Budget#units} counts: samples, rounds, nodes or tokens. */
  String unit();

  /**
   * Solves all tasks; every task is reported exactly once. An endpoint that fails ends its task
   * with a fault, not the call.
   */
  void solve(
      LanguageModel model, List<SolveTask> tasks, SolverOptions options, SolveListener listener);

  /** Solves all tasks; solutions are in the order of the tasks. */
  default List<Solution> solve(LanguageModel model, List<SolveTask> tasks, SolverOptions options) {
    Map<String, Solution> solutions = new HashMap<>();
    solve(model, tasks, options, (task, solution) -> solutions.put(task.id(), solution));
    return tasks.stream().map(t -> Objects.requireNonNull(solutions.get(t.id()))).toList();
  }
}
