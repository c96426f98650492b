package io.knack.sandbox.rules;

import io.knack.contracts.id.ClusterId;
import io.knack.sandbox.world.HouseRule;
import io.knack.sandbox.world.Kind;
import io.knack.sandbox.world.Problem;
import io.knack.sandbox.world.Structure;
import io.knack.sandbox.world.Words;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A policy of the trial and the problems that customers ask under it: one structure, now and then
 * another.
 *
 * @param before its rule on the first night
 * @param after its rule from the second night on: another where it drifts
 * @param poison a wrong rule that some accepted logs follow; the right one where none does
 */
record TrialPolicy(
    int number,
    String name,
    Kind kind,
    Structure structure,
    HouseRule before,
    HouseRule after,
    HouseRule poison) {
  private static final List<Structure> STRUCTURES = List.of(Structure.values());
  private static final int OTHER_STRUCTURE_PERCENT = 12;

  /** The first tenth is poisoned, the second drifts. */
  static List<TrialPolicy> draw(int count, SplittableRandom random) {
    List<TrialPolicy> policies = new ArrayList<>();
    Set<String> names = new HashSet<>();
    while (policies.size() < count) {
      String name = Words.policyName(random);
      if (names.add(name)) {
        int number = policies.size();
        Kind kind = Kind.HOUSE.get(number % Kind.HOUSE.size());
        HouseRule rule = kind.draw(random);
        HouseRule other = kind.draw(random);
        while (alike(rule, other)) {
          other = kind.draw(random);
        }
        boolean poisoned = number < count / 10;
        boolean drifts = number >= count / 10 && number < count / 5;
        policies.add(
            new TrialPolicy(
                number,
                name,
                kind,
                structure(random),
                rule,
                drifts ? other : rule,
                poisoned ? other : rule));
      }
    }
    return policies;
  }

  /** Two texts of one rule: to add 2 and double is to double and add 4. */
  private static boolean alike(HouseRule one, HouseRule other) {
    for (int subtotal = 1; subtotal <= 60; subtotal++) {
      for (int items = 1; items <= 4; items++) {
        if (one.apply(subtotal, items).total() != other.apply(subtotal, items).total()) {
          return false;
        }
      }
    }
    return true;
  }

  private static Structure structure(SplittableRandom random) {
    return STRUCTURES.get(random.nextInt(STRUCTURES.size()));
  }

  boolean poisoned() {
    return !poison.equals(before);
  }

  boolean drifts() {
    return !after.equals(before);
  }

  ClusterId cluster() {
    return new ClusterId("policy-" + number);
  }

  /** Different problems, none of which was asked before. */
  List<Problem> problems(int count, Set<String> asked, SplittableRandom random) {
    List<Problem> problems = new ArrayList<>();
    while (problems.size() < count) {
      Structure like =
          random.nextInt(100) < OTHER_STRUCTURE_PERCENT ? structure(random) : structure;
      Problem problem = Problem.draw(like, kind, name, random);
      if (asked.add(problem.text())) {
        problems.add(problem);
      }
    }
    return problems;
  }
}
