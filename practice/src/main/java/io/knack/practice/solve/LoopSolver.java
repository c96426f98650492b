package io.knack.practice.solve;

import io.knack.llm.LanguageModel;
import java.util.List;
import java.util.function.Supplier;

/** A method that a {@link SolveLoop} runs for many tasks at once. */
record LoopSolver(String name, String unit, Supplier<Search> search) implements Solver {
  @Override
  public void solve(
      LanguageModel model, List<SolveTask> tasks, SolverOptions options, SolveListener listener) {
    new SolveLoop(this, model, options, listener).run(tasks);
  }
}
