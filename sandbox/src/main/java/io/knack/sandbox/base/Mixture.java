package io.knack.sandbox.base;

import io.knack.contracts.Attempt;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.RuleId;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.sandbox.world.HouseRule;
import io.knack.sandbox.world.Kind;
import io.knack.sandbox.world.Personal;
import io.knack.sandbox.world.Problem;
import io.knack.sandbox.world.Structure;
import io.knack.sandbox.world.Words;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The texts that the base model learns from, without end: text n is a function of the seed and n
 * alone. A policy's rule is drawn anew for every text, so that no name ever means anything: what
 * remains to be learnt is to calculate, to guess, and to use what stands in the prompt. Prompts are
 * those that the solvers of {@code practice} and the reflection of {@code consolidation} send.
 */
public final class Mixture {
  private static final Prompts PROMPTS = Prompts.of(PromptForm.SHORT);
  private static final SparseVector NOWHERE = SparseVector.EMPTY;

  /** Out of a hundred: what share of texts is plain arithmetic, states a wrong step, and so on. */
  private static final int PLAIN = 22;

  private static final int SLIP = 30;
  private static final int SECOND_POLICY = 25;
  private static final int OTHER_STRUCTURE = 35;
  private static final int PERSONAL = 3;

  /** Out of a hundred reflections: on one case, on at most three; the others on up to six. */
  private static final int ONE_CASE = 60;

  private static final int FEW_CASES = 85;
  private static final int MOST_CASES = 6;

  /** Texts that teach to calculate and to look into the prompt, before the other skills come. */
  private static final long FIRST_SKILLS = 16_000;

  /** Digits of a judgement. */
  private static final String RIGHT = "9";

  private static final String OPEN = "5";
  private static final String WRONG = "0";

  private final long seed;

  public Mixture(long seed) {
    this.seed = seed;
  }

  /**
   * One text.
   *
   * @param prompt as the model is given it
   * @param completion what it is to write; the end of sequence follows
   */
  public record Text(Skill skill, String prompt, String completion) {}

  /** Text n, from 0. */
  public Text text(long n) {
    SplittableRandom random = new SplittableRandom(mix(seed * 0x9E3779B97F4A7C15L + n));
    Skill skill =
        n < FIRST_SKILLS ? Skill.firstAt(random.nextInt(100)) : Skill.at(random.nextInt(100));
    return new Draw(random).text(skill);
  }

  /** A text of one skill, for measuring it. */
  public Text text(Skill skill, long n) {
    return new Draw(new SplittableRandom(mix(seed * 0x9E3779B97F4A7C15L + n))).text(skill);
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }

  /** A policy of this text alone. */
  private record Policy(String name, Kind kind, @Nullable HouseRule rule) {
    HouseRule asHouseRule() {
      if (rule == null) {
        throw new IllegalStateException("a plain problem has no rule");
      }
      return rule;
    }

    RuleText asRule() {
      return new RuleText(new RuleId("r"), Problem.occasion(name, kind), asHouseRule().text());
    }
  }

  /** The random choices of one text. */
  private static final class Draw {
    private final SplittableRandom random;

    Draw(SplittableRandom random) {
      this.random = random;
    }

    private boolean chance(int percent) {
      return random.nextInt(100) < percent;
    }

    private <T> T pick(List<T> from) {
      return from.get(random.nextInt(from.size()));
    }

    Text text(Skill skill) {
      return switch (skill) {
        case SOLVE -> solve();
        case EPISODES -> episodes();
        case RULES -> rules();
        case REFLECT -> reflect();
        case UPDATE -> update();
        case FEEDBACK -> feedback();
        case REVISE -> revise();
        case VALUE -> value();
        case JUDGE -> judge();
        case LONG -> longChain();
      };
    }

    private Policy house() {
      Kind kind = pick(Kind.HOUSE);
      return new Policy(Words.policyName(random), kind, kind.draw(random));
    }

    private Policy any() {
      return chance(PLAIN) ? new Policy("", Kind.PLAIN, null) : house();
    }

    private Problem problem(Policy policy) {
      return problem(policy, pick(List.of(Structure.values())));
    }

    private Problem problem(Policy policy, Structure structure) {
      return Problem.draw(structure, policy.kind(), policy.name(), random);
    }

    private String asked(Problem problem) {
      if (!chance(PERSONAL)) {
        return problem.text();
      }
      return Personal.preface(random) + problem.text();
    }

    private List<Message> base(String question, List<RuleText> rules, List<EpisodeText> episodes) {
      return PROMPTS.problem(List.of(Message.user(question)), rules, episodes);
    }

    private static String plainText(List<Message> messages) {
      return messages.stream().map(Message::content).collect(Collectors.joining());
    }

    private static Text done(Skill skill, List<Message> prompt, String completion) {
      return new Text(skill, plainText(prompt), completion);
    }

    private Text solve() {
      Policy policy = any();
      Problem problem = problem(policy);
      return done(
          Skill.SOLVE,
          base(asked(problem), List.of(), List.of()),
          problem.solve(policy.rule()).text());
    }

    private EpisodeText episode(Policy policy, Structure structure) {
      Problem problem = problem(policy, structure);
      return new EpisodeText(
          new EpisodeId("e"), problem.text(), problem.solve(policy.rule()).text(), NOWHERE);
    }

    /** One to three examples, the right policy among them, mostly of the same structure. */
    private List<EpisodeText> examples(Policy policy, Structure structure) {
      int count = chance(70) ? 1 : 2 + random.nextInt(2);
      List<EpisodeText> examples = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Structure like = chance(OTHER_STRUCTURE) ? pick(List.of(Structure.values())) : structure;
        examples.add(episode(policy, like));
      }
      if (count > 1 && chance(SECOND_POLICY)) {
        Kind kind = policy.kind() == Kind.PLAIN ? pick(Kind.HOUSE) : policy.kind();
        Policy other = new Policy(Words.policyName(random), kind, kind.draw(random));
        examples.set(random.nextInt(count), episode(other, structure));
      }
      return examples;
    }

    private Text episodes() {
      Policy policy = chance(12) ? new Policy("", Kind.PLAIN, null) : house();
      Problem problem = problem(policy);
      return done(
          Skill.EPISODES,
          base(asked(problem), List.of(), examples(policy, problem.structure())),
          problem.solve(policy.rule()).text());
    }

    /** The right rule, sometimes among rules of other policies. */
    private List<RuleText> ruleBook(Policy policy) {
      List<RuleText> rules = new ArrayList<>(List.of(policy.asRule()));
      if (chance(30)) {
        int others = 1 + random.nextInt(2);
        for (int i = 0; i < others; i++) {
          rules.add(random.nextInt(rules.size() + 1), house().asRule());
        }
      }
      return rules;
    }

    private Text rules() {
      Policy policy = house();
      Problem problem = problem(policy);
      List<EpisodeText> examples = chance(20) ? examples(policy, problem.structure()) : List.of();
      return done(
          Skill.RULES,
          base(asked(problem), ruleBook(policy), examples),
          problem.solve(policy.rule()).text());
    }

    /** A rule of the same kind that is none of those. */
    private HouseRule otherThan(Policy policy, List<HouseRule> known) {
      while (true) {
        HouseRule guess = policy.kind().draw(random);
        if (!known.contains(guess)) {
          return guess;
        }
      }
    }

    private static Attempt attempt(String text, Outcome outcome) {
      return new Attempt(null, text, 0, 0, 0, null, outcome);
    }

    /**
     * A case as serving logs it: guesses, in any order, of which one passes. What passes need not
     * be the rule: below its threshold, say, any surcharge above it will do.
     */
    private Prompts.Case solvedCase(Policy policy, int mostFailed) {
      Problem problem = problem(policy);
      int answer = problem.solve(policy.asHouseRule()).answer();
      List<HouseRule> passing = new ArrayList<>();
      List<HouseRule> failing = new ArrayList<>();
      for (HouseRule guess : policy.kind().rules()) {
        (problem.solve(guess).answer() == answer ? passing : failing).add(guess);
      }
      List<Attempt> attempts = new ArrayList<>();
      for (int i = random.nextInt(mostFailed + 1); i > 0; i--) {
        String failed = problem.solve(pick(failing)).text();
        attempts.add(attempt(failed, Outcome.FAILED));
      }
      attempts.add(
          random.nextInt(attempts.size() + 1),
          attempt(problem.solve(pick(passing)).text(), Outcome.VERIFIED));
      return new Prompts.Case(problem.text(), attempts);
    }

    private List<Prompts.Case> cases(Policy policy) {
      int lot = random.nextInt(100);
      int count =
          lot < ONE_CASE
              ? 1
              : lot < FEW_CASES ? 2 + random.nextInt(2) : Words.between(4, MOST_CASES, random);
      int mostFailed = lot < FEW_CASES ? 2 : 1;
      return IntStream.range(0, count).mapToObj(i -> solvedCase(policy, mostFailed)).toList();
    }

    private static String sentence(RuleText rule) {
      return rule.when() + " => " + rule.then();
    }

    private Text reflect() {
      Policy policy = house();
      return done(Skill.REFLECT, PROMPTS.reflect(cases(policy), 1), sentence(policy.asRule()));
    }

    private Text update() {
      Policy policy = house();
      HouseRule before =
          chance(50) ? policy.asHouseRule() : otherThan(policy, List.of(policy.asHouseRule()));
      RuleText old = new Policy(policy.name(), policy.kind(), before).asRule();
      return done(
          Skill.UPDATE, PROMPTS.update(List.of(old), cases(policy), 1), sentence(policy.asRule()));
    }

    /** A solution with one equation that does not hold. */
    private List<String> slipped(List<String> lines) {
      List<Integer> sums = new ArrayList<>();
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).indexOf('=') > 0 && !lines.get(i).contains(">=")) {
          sums.add(i);
        }
      }
      int at = pick(sums);
      String line = lines.get(at);
      int equals = line.indexOf('=');
      int result = Integer.parseInt(line.substring(equals + 1));
      int off = 1 + random.nextInt(9);
      int wrong = result >= off && random.nextBoolean() ? result - off : result + off;
      List<String> slipped = new ArrayList<>(lines);
      slipped.set(at, line.substring(0, equals + 1) + wrong);
      return slipped;
    }

    /** A failed attempt at a problem, what is wrong with it, and whether it guessed the rule. */
    private record Failure(Prompts.Tried tried, @Nullable HouseRule guess) {}

    private Failure failure(Problem problem, Policy policy, List<HouseRule> excluded) {
      if (policy.rule() == null || chance(SLIP)) {
        HouseRule guess = policy.rule();
        List<String> right = problem.solve(guess).lines();
        List<String> wrong = slipped(right);
        int at = 0;
        while (right.get(at).equals(wrong.get(at))) {
          at++;
        }
        return new Failure(
            new Prompts.Tried(String.join("\n", wrong), "sum " + right.get(at)), null);
      }
      HouseRule guess = otherThan(policy, excluded);
      return new Failure(
          new Prompts.Tried(problem.solve(guess).text(), "not " + guess.text()), guess);
    }

    /** Most often no memory at all: what methods add to a bare question. */
    private List<Message> withSomeMemory(Problem problem, Policy policy) {
      boolean told = policy.rule() != null && chance(35);
      boolean shown = !told && chance(20);
      return base(
          problem.text(),
          told ? ruleBook(policy) : List.of(),
          shown ? examples(policy, problem.structure()) : List.of());
    }

    private List<HouseRule> known(Policy policy) {
      return policy.rule() == null ? List.of() : List.of(policy.rule());
    }

    private Text feedback() {
      Policy policy = any();
      Problem problem = problem(policy);
      Failure failure = failure(problem, policy, known(policy));
      return done(
          Skill.FEEDBACK,
          PROMPTS.feedback(withSomeMemory(problem, policy), List.of(), failure.tried().answer()),
          failure.tried().feedback());
    }

    private Text revise() {
      Policy policy = any();
      Problem problem = problem(policy);
      List<HouseRule> excluded = new ArrayList<>(known(policy));
      List<Prompts.Tried> history = new ArrayList<>();
      for (int i = 1 + random.nextInt(2); i > 0; i--) {
        Failure failure = failure(problem, policy, excluded);
        history.add(failure.tried());
        if (failure.guess() != null) {
          excluded.add(failure.guess());
        }
      }
      return done(
          Skill.REVISE,
          PROMPTS.revise(withSomeMemory(problem, policy), history),
          problem.solve(policy.rule()).text());
    }

    private Text value() {
      Policy policy = any();
      Problem problem = problem(policy);
      boolean told = policy.rule() != null && chance(50);
      Problem.Solution right = problem.solve(policy.rule());
      List<String> lines = right.lines();
      int steps = 1 + random.nextInt(lines.size());
      String digit;
      int fault = random.nextInt(100);
      if (told && fault < 25) {
        Problem.Solution guess = problem.solve(otherThan(policy, known(policy)));
        lines = guess.lines();
        steps = guess.ruleAt() + 1 + random.nextInt(lines.size() - guess.ruleAt());
        digit = WRONG;
      } else if (fault < 50) {
        List<String> wrong = slipped(lines);
        int at = 0;
        while (wrong.get(at).equals(lines.get(at))) {
          at++;
        }
        steps = at + 1;
        lines = wrong;
        digit = WRONG;
      } else {
        digit = told || policy.rule() == null ? RIGHT : OPEN;
      }
      List<RuleText> rules = told ? ruleBook(policy) : List.of();
      return done(
          Skill.VALUE,
          PROMPTS.value(base(problem.text(), rules, List.of()), lines.subList(0, steps)),
          digit);
    }

    private Text judge() {
      Policy policy = any();
      Problem problem = problem(policy);
      Problem.Solution right = problem.solve(policy.rule());
      boolean referred = chance(60);
      int fault = random.nextInt(100);
      String answer = right.text();
      String digit = referred || policy.rule() == null ? RIGHT : OPEN;
      if (fault < 25) {
        answer = String.join("\n", slipped(right.lines()));
        digit = WRONG;
      } else if (fault < 55 && policy.rule() != null && referred) {
        answer = problem.solve(otherThan(policy, known(policy))).text();
        digit = answer.endsWith("\nA: " + right.answer()) ? RIGHT : WRONG;
      }
      return done(
          Skill.JUDGE,
          PROMPTS.judge(
              "",
              problem.text(),
              referred ? right.text() : null,
              answer,
              Prompts.JudgeOrder.REFERENCE_FIRST),
          digit);
    }

    private Text longChain() {
      Policy policy = any();
      Problem problem = problem(policy);
      boolean told = policy.rule() != null && chance(30);
      List<Message> base = base(problem.text(), told ? ruleBook(policy) : List.of(), List.of());
      if (told || policy.rule() == null) {
        return done(
            Skill.LONG,
            PROMPTS.chain(base, List.of()),
            problem.solve(policy.rule()).text() + "\ncheck: ok");
      }
      List<HouseRule> guesses = new ArrayList<>(policy.kind().rules());
      Collections.shuffle(guesses, new Random(random.nextLong()));
      int count = 1 + random.nextInt(3);
      String chain =
          guesses.subList(0, count).stream()
              .map(guess -> problem.solve(guess).text())
              .collect(Collectors.joining("\ncheck: no\n"));
      return done(Skill.LONG, PROMPTS.chain(base, List.of()), chain + "\ncheck: ok");
    }
  }
}
