package io.knack.sandbox.base;

/** What the base model learns, in the order of importance. */
public enum Skill {
  /** The question alone. */
  SOLVE(37),
  /** Solved examples in the prompt. */
  EPISODES(15),
  /** Rules in the prompt. */
  RULES(12),
  /** The rule that solved and failed attempts show. */
  REFLECT(13),
  /** An old rule and new cases. */
  UPDATE(5),
  /** What is wrong with an attempt. */
  FEEDBACK(3),
  /** Another attempt after failed ones. */
  REVISE(5),
  /** How promising a partial solution is. */
  VALUE(3),
  /** Whether an answer is right. */
  JUDGE(3),
  /** One long chain that checks itself and starts over. */
  LONG(4);

  private final int share;

  Skill(int share) {
    this.share = share;
  }

  /** Parts in a hundred of the mixture. */
  public int share() {
    return share;
  }

  /** Whether prompts hold no wrong calculation, so that they can be learnt from as well. */
  boolean promptIsSound() {
    return switch (this) {
      case SOLVE, EPISODES, RULES, LONG, REFLECT, UPDATE -> true;
      case FEEDBACK, REVISE, VALUE, JUDGE -> false;
    };
  }

  /** The mixture before the later skills come. */
  static Skill firstAt(int percent) {
    return percent < 60 ? SOLVE : percent < 85 ? RULES : EPISODES;
  }

  static Skill at(int percent) {
    int left = percent;
    for (Skill skill : values()) {
      left -= skill.share;
      if (left < 0) {
        return skill;
      }
    }
    throw new IllegalArgumentException("not below a hundred: " + percent);
  }
}
