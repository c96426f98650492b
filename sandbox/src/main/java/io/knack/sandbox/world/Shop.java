package io.knack.sandbox.world;

import io.knack.practice.prompt.Replies;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Knows every policy's rule on every day: a function of the seed, the policy's name and kind, and
 * of how often it has changed. It says pass or fail and never why.
 */
public final class Shop {
  private final long seed;
  private final int firstChange;
  private final int secondChange;

  /**
   * @param firstChange day on which the first drifting policy changes its rule
   * @param secondChange likewise for the second
   */
  Shop(long seed, int firstChange, int secondChange) {
    this.seed = seed;
    this.firstChange = firstChange;
    this.secondChange = secondChange;
  }

  /** The shop of a world. */
  public static Shop of(long seed) {
    return new Shop(seed, World.FIRST_DRIFT_DAY, World.SECOND_DRIFT_DAY);
  }

  /** The rule of a policy on a day (from 1). */
  public HouseRule rule(String policy, Kind kind, int day) {
    Set<String> drifting = World.driftingPolicies(seed);
    int version = 0;
    if (drifting.contains(policy)) {
      boolean first = policy.equals(drifting.iterator().next());
      version = day >= (first ? firstChange : secondChange) ? 1 : 0;
    }
    return version(policy, kind, version);
  }

  private HouseRule version(String policy, Kind kind, int version) {
    SplittableRandom random =
        new SplittableRandom(seed * 1_000_003 + (policy + "/" + kind.word()).hashCode());
    HouseRule rule = kind.draw(random);
    for (int v = 0; v < version; v++) {
      HouseRule before = rule;
      while (rule.equals(before)) {
        rule = kind.draw(random);
      }
    }
    return rule;
  }

  /** A rule of the same kind that is wrong on every day up to this one. */
  HouseRule poison(String policy, Kind kind, int day) {
    SplittableRandom random = new SplittableRandom(seed + policy.hashCode());
    HouseRule wrong = kind.draw(random);
    while (wrong.equals(rule(policy, kind, day)) || wrong.equals(rule(policy, kind, 1))) {
      wrong = kind.draw(random);
    }
    return wrong;
  }

  /** The worked solution of a problem on a day. */
  public Problem.Solution solve(Problem problem, int day) {
    return problem.solve(ruleOf(problem, day));
  }

  private @Nullable HouseRule ruleOf(Problem problem, int day) {
    return problem.kind() == Kind.PLAIN ? null : rule(problem.policy(), problem.kind(), day);
  }

  /** Whether an answer concludes with the right amount. A text that is no problem never passes. */
  public boolean passes(String problem, String answer, int day) {
    Optional<Problem> read = Problem.read(problem);
    return read.isPresent()
        && Replies.conclusion(answer)
            .filter(Integer.toString(solve(read.get(), day).answer())::equals)
            .isPresent();
  }
}
