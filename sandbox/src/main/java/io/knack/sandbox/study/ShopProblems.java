package io.knack.sandbox.study;

import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.sandbox.world.Family;
import io.knack.sandbox.world.Kind;
import io.knack.sandbox.world.Level;
import io.knack.sandbox.world.Problem;
import io.knack.sandbox.world.World;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * The shop's problems at every level: one family of each policy is learnt, and asked again word for
 * word (S1), reworded (S2), with other numbers (S3) and in other structures (S4); its known
 * problems under a policy that nobody knows are the traps (S5). Plain arithmetic is left out:
 * nothing can be learnt about it.
 */
final class ShopProblems {
  /** The day whose rules hold. */
  static final int DAY = 1;

  private static final List<Level> LEVELS =
      List.of(Level.S1, Level.S2, Level.S3, Level.S4, Level.S5);

  private final World world;
  private final VerifierSpec verifier;
  private final SplittableRandom random;

  /**
   * @param verifier that knows the shop's answers on {@link #DAY}
   */
  ShopProblems(long seed, VerifierSpec verifier) {
    this.world = new World(seed);
    this.verifier = verifier;
    this.random = new SplittableRandom(seed ^ 0x57D9);
  }

  /**
   * How large a study is.
   *
   * @param policies learnt at most
   * @param train problems of each policy that are solved and learnt from
   * @param validation problems of each that triggers and rules are tried on
   * @param perLevel problems asked at each level
   * @param routed problems at each level on which triggers are counted
   */
  record Size(int policies, int train, int validation, int perLevel, int routed) {}

  ProblemSet draw(Size size) {
    List<Family> families = families(size.policies());
    List<Example> known = new ArrayList<>();
    Map<Family, List<Problem>> learnt = new HashMap<>();
    for (Family family : families) {
      List<Problem> own = distinct(family, size.train() + size.validation());
      learnt.put(family, own.subList(0, size.train()));
      for (int i = 0; i < own.size(); i++) {
        Split split = i < size.train() ? Split.TRAIN : Split.VALIDATION;
        known.add(example(family.id() + "-" + i, family, own.get(i), split));
      }
    }
    for (int i = 0; i < 4 * families.size(); i++) {
      Family any = families.get(i % families.size());
      Problem noise = world.problem(any, Level.NOISE, any.core().get(0), random);
      known.add(
          ProblemSet.example(
              "anchor-" + i, null, any.tenant(), noise.text(), null, null, verifier, Split.ANCHOR));
    }
    return new ProblemSet(
        known, levels(families, learnt, size.perLevel()), levels(families, learnt, size.routed()));
  }

  private SortedMap<String, List<Example>> levels(
      List<Family> families, Map<Family, List<Problem>> learnt, int perLevel) {
    SortedMap<String, List<Example>> levels = new TreeMap<>();
    for (Level level : LEVELS) {
      List<Example> problems = new ArrayList<>();
      for (int i = 0; i < perLevel; i++) {
        Family family = families.get(i % families.size());
        List<Problem> own = learnt.getOrDefault(family, family.core());
        Problem core = own.get(i / families.size() % own.size());
        Problem problem = world.problem(family, level, core, random);
        problems.add(example(level + "-" + i, family, problem, Split.HOLDOUT));
      }
      levels.put(level.name(), problems);
    }
    return levels;
  }

  private Example example(String id, Family family, Problem problem, Split split) {
    return ProblemSet.example(
        id,
        split == Split.HOLDOUT ? null : family.id(),
        family.tenant(),
        problem.text(),
        null,
        null,
        verifier,
        split);
  }

  /** Known questions first, then others of the same structure, no text twice. */
  private List<Problem> distinct(Family family, int count) {
    List<Problem> problems = new ArrayList<>();
    Set<String> texts = new HashSet<>();
    for (Problem core : family.core()) {
      if (texts.add(core.text())) {
        problems.add(core);
      }
    }
    while (problems.size() < count) {
      Problem next = world.problem(family, Level.S3, family.core().get(0), random);
      if (texts.add(next.text())) {
        problems.add(next);
      }
    }
    return problems.subList(0, count);
  }

  private List<Family> families(int most) {
    List<Family> families = new ArrayList<>();
    Set<String> policies = new HashSet<>();
    for (Family family : world.families()) {
      if (family.kind() != Kind.PLAIN
          && family.firstDay() <= DAY
          && families.size() < most
          && policies.add(family.policy())) {
        families.add(family);
      }
    }
    return families;
  }
}
