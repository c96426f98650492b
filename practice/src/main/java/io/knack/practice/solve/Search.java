package io.knack.practice.solve;

/** One method at work on one task: a state machine that a {@link SolveLoop} drives. */
interface Search {
  /** Asks for the first thing; everything else happens in what it handed to the {@link TaskRun}. */
  void start(TaskRun run);
}
