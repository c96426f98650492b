package io.knack.practice.solve;

import io.knack.contracts.stage.PlanException;
import java.util.List;

/** The solvers by name. */
public final class Solvers {
  /** Every method, in the order of the paper's table. A further one is a class and a line here. */
  private static final List<Solver> ALL =
      List.of(
          new LoopSolver("best_of_n", "samples", BestOfN::new),
          new LoopSolver("tree_of_thoughts", "nodes", TreeOfThoughts::new),
          new LoopSolver("self_refine", "rounds", SelfRefine::new),
          new LoopSolver("long_cot", "tokens", LongChain::new));

  private Solvers() {}

  public static List<String> names() {
    return ALL.stream().map(Solver::name).toList();
  }

  /**
   * @throws PlanException when there is no such method
   */
  public static Solver named(String name) {
    return ALL.stream()
        .filter(solver -> solver.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new PlanException(
                    "no solver is called '"
                        + name
                        + "'; choose one of "
                        + String.join(", ", names())));
  }
}
