package io.knack.practice.solve;

import java.util.List;

/** The solvers by name. */
public final class Solvers {
  private Solvers() {}

  /** Every method, in the order of the paper's table. */
  public static List<String> names() {
    return List.of("best_of_n", "tree_of_thoughts", "self_refine", "long_cot");
  }

  /**
   * @throws io.knack.contracts.stage.PlanException when there is no such method
   */
  public static Solver named(String name) {
    throw new UnsupportedOperationException("written next: " + name);
  }
}
