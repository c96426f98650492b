package io.knack.practice.solve;

/** Hears of each solution as soon as it is there, on the thread that called the solver. */
@FunctionalInterface
public interface SolveListener {
  void solved(SolveTask task, Solution solution);
}
