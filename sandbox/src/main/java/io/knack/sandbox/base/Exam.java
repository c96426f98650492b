package io.knack.sandbox.base;

import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.RuleId;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.prompt.Replies;
import io.knack.sandbox.world.HouseRule;
import io.knack.sandbox.world.Kind;
import io.knack.sandbox.world.Problem;
import io.knack.sandbox.world.Structure;
import io.knack.sandbox.world.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * Questions that measure what the base model can do, each a function of a seed and its number. None
 * occurs in the mixture but by chance: the seeds differ.
 */
public final class Exam {
  private static final Prompts PROMPTS = Prompts.of(PromptForm.SHORT);
  private static final List<Structure> STRUCTURES = List.of(Structure.values());

  /** What a question measures. */
  public enum Part {
    /** A house rule, nothing in the prompt. */
    ALONE,
    /** Plain arithmetic, nothing in the prompt. */
    PLAIN,
    /** The right rule. */
    RULE,
    /** A solved example of the same structure. */
    EPISODE,
    /** Three solved examples. */
    EPISODES,
    /** A solved example of another structure under the same policy (S4). */
    OTHER_STRUCTURE,
    /** A solved example that looks alike under another policy (S5). */
    TRAP_EPISODE,
    /** The rule of another policy. */
    TRAP_RULE,
    REFLECT,
    UPDATE,
    FEEDBACK,
    REVISE,
    VALUE,
    JUDGE,
    LONG
  }

  private final long seed;

  public Exam(long seed) {
    this.seed = seed;
  }

  /**
   * A question.
   *
   * @param expected the answer's number, or the reply as a whole
   * @param whole whether the reply as a whole is compared
   */
  public record Question(Part part, Kind kind, String prompt, String expected, boolean whole) {

    /** Whether a reply is right; of several conclusions the first counts. */
    public boolean accepts(String reply) {
      if (whole) {
        return reply.strip().equals(expected);
      }
      String first = reply.contains("check:") ? reply.substring(0, reply.indexOf("check:")) : reply;
      return Replies.conclusion(first).filter(expected::equals).isPresent();
    }
  }

  /** Question n of a part. */
  public Question question(Part part, long n) {
    SplittableRandom random =
        new SplittableRandom(seed * 31 + n * 1_000_003 + part.name().hashCode());
    return switch (part) {
      case PLAIN -> {
        Problem problem = problem(Kind.PLAIN, "", structure(random), random);
        yield question(part, problem, ask(problem, List.of(), List.of()), problem.solve(null));
      }
      case REFLECT -> whole(part, Skill.REFLECT, n);
      case UPDATE -> whole(part, Skill.UPDATE, n);
      case FEEDBACK -> whole(part, Skill.FEEDBACK, n);
      case VALUE -> whole(part, Skill.VALUE, n);
      case JUDGE -> whole(part, Skill.JUDGE, n);
      default -> house(part, random);
    };
  }

  private Question whole(Part part, Skill skill, long n) {
    Mixture.Text text = new Mixture(seed + 7919).text(skill, n);
    return new Question(part, Kind.PLAIN, text.prompt(), text.completion(), true);
  }

  private static Question house(Part part, SplittableRandom random) {
    Kind kind = Kind.HOUSE.get(random.nextInt(Kind.HOUSE.size()));
    String policy = Words.policyName(random);
    String other = Words.policyName(random);
    HouseRule rule = kind.draw(random);
    HouseRule wrong = kind.draw(random);
    while (wrong.equals(rule)) {
      wrong = kind.draw(random);
    }
    Structure structure = structure(random);
    Structure elsewhere = structure(random);
    while (elsewhere == structure) {
      elsewhere = structure(random);
    }
    Problem problem = problem(kind, policy, structure, random);
    List<EpisodeText> shown = new ArrayList<>();
    List<RuleText> told = new ArrayList<>();
    switch (part) {
      case RULE -> told.add(rule(policy, kind, rule));
      case TRAP_RULE -> told.add(rule(other, kind, wrong));
      case EPISODE -> shown.add(episode(problem(kind, policy, structure, random), rule));
      case EPISODES -> {
        for (int i = 0; i < 3; i++) {
          shown.add(episode(problem(kind, policy, structure, random), rule));
        }
      }
      case OTHER_STRUCTURE -> shown.add(episode(problem(kind, policy, elsewhere, random), rule));
      case TRAP_EPISODE -> shown.add(episode(problem(kind, other, structure, random), wrong));
      default -> {}
    }
    List<Message> base = PROMPTS.problem(List.of(Message.user(problem.text())), told, shown);
    Problem.Solution solution = problem.solve(rule);
    String prompt =
        switch (part) {
          case LONG -> text(PROMPTS.chain(base, List.of()));
          case REVISE ->
              text(
                  PROMPTS.revise(
                      base,
                      List.of(
                          new Prompts.Tried(problem.solve(wrong).text(), "not " + wrong.text()))));
          default -> text(base);
        };
    return question(part, problem, prompt, solution);
  }

  private static Question question(
      Part part, Problem problem, String prompt, Problem.Solution solution) {
    return new Question(part, problem.kind(), prompt, Integer.toString(solution.answer()), false);
  }

  private static Structure structure(SplittableRandom random) {
    return STRUCTURES.get(random.nextInt(STRUCTURES.size()));
  }

  private static Problem problem(
      Kind kind, String policy, Structure structure, SplittableRandom random) {
    return Problem.draw(structure, kind, policy, random);
  }

  private static RuleText rule(String policy, Kind kind, HouseRule rule) {
    return new RuleText(new RuleId("r"), Problem.occasion(policy, kind), rule.text());
  }

  private static EpisodeText episode(Problem problem, HouseRule rule) {
    return new EpisodeText(
        new EpisodeId("e"), problem.text(), problem.solve(rule).text(), SparseVector.EMPTY);
  }

  private static String ask(Problem problem, List<RuleText> rules, List<EpisodeText> episodes) {
    return text(PROMPTS.problem(List.of(Message.user(problem.text())), rules, episodes));
  }

  private static String text(List<Message> messages) {
    return messages.stream().map(Message::content).collect(Collectors.joining());
  }
}
