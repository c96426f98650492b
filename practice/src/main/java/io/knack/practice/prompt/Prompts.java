package io.knack.practice.prompt;

import io.knack.contracts.Attempt;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every prompt that Knack writes, in one form and version. The text stands in the resources beside
 * this class; here is only what goes where. The replies are read by {@link Replies}.
 *
 * <p>In the short form a prompt is lines of plain text, ending in a line break, and a reply is
 * lines too:
 *
 * <pre>
 * rule: WHEN =&gt; THEN          0..n times; without "WHEN =&gt;" when it always applies
 * ex: PROBLEM                 0..n times
 * STEP.. and A: ANSWER
 * Q: PROBLEM                  --&gt; solve, reply: STEP.., then A: ANSWER
 * Q: .. STEP..                --&gt; thought, reply: one STEP or A: line
 * Q: .. STEP.. value:         --&gt; reply: one digit, 0 hopeless, 9 certain
 * Q: .. try: ANSWER why:      --&gt; feedback, reply: one line
 * Q: .. try: ANSWER why: LINE fix:  --&gt; revise, reply as for solve
 * Q: .. long:                 --&gt; reply: STEP.., A: ANSWER, check: ok, or check: no and again
 * Q: .. try: ANSWER judge:    --&gt; reply: one digit
 * Q: .. bad: ANSWER good: ANSWER rule:  --&gt; reflect, reply: WHEN =&gt; THEN
 * </pre>
 */
public final class Prompts {
  /** Of the wording; an experiment names it. */
  public static final String VERSION = "v1";

  private static final Prompts INSTRUCT = new Prompts(new InstructWording(VERSION));
  private static final Prompts SHORT = new Prompts(new ShortWording(VERSION));

  private final Wording wording;

  private Prompts(Wording wording) {
    this.wording = wording;
  }

  public static Prompts of(PromptForm form) {
    return switch (form) {
      case INSTRUCT -> INSTRUCT;
      case SHORT -> SHORT;
    };
  }

  public PromptForm form() {
    return wording.form();
  }

  /** A request with its memory: what all methods below call the base. */
  public List<Message> problem(
      List<Message> request, List<RuleText> rules, List<EpisodeText> episodes) {
    return wording.problem(request, rules, episodes);
  }

  /** Asks what is wrong with an answer. */
  public List<Message> feedback(List<Message> base, List<Tried> history, String answer) {
    return wording.feedback(base, history, answer);
  }

  /** Asks for a better answer. */
  public List<Message> revise(List<Message> base, List<Tried> history) {
    return wording.revise(base, history);
  }

  /** Asks for the next step of a solution. */
  public List<Message> thought(List<Message> base, List<String> steps) {
    return wording.thought(base, steps);
  }

  /** Asks how promising a partial solution is. */
  public List<Message> value(List<Message> base, List<String> steps) {
    return wording.value(base, steps);
  }

  /**
   * Asks for one long chain of thought, or for more of it.
   *
   * @param rejected what it wrote so far, cut at each conclusion that a check did not accept
   */
  public List<Message> chain(List<Message> base, List<String> rejected) {
    return wording.chain(base, rejected);
  }

  /** Asks whether an answer is right. */
  public List<Message> judge(
      String rubric, String problem, @Nullable String reference, String answer, JudgeOrder order) {
    return wording.judge(rubric, problem, reference, answer, order);
  }

  /** Asks for rules from cases. */
  public List<Message> reflect(List<Case> cases, int maxRules) {
    return wording.reflect(cases, maxRules);
  }

  /** Asks for a revision of rules after new cases. */
  public List<Message> update(List<RuleText> known, List<Case> cases, int maxRules) {
    return wording.update(known, cases, maxRules);
  }

  /** The line that a rule takes in a prompt. */
  public String ruleLine(RuleText rule) {
    return wording.ruleLine(rule);
  }

  /** The lines that an episode takes in a prompt. */
  public String episodeLines(EpisodeText episode) {
    return wording.episodeLines(episode);
  }

  /** What ends a reply to {@link #thought}. */
  public List<String> thoughtStop() {
    return wording.thoughtStop();
  }

  /** What ends a reply to {@link #feedback}. */
  public List<String> feedbackStop() {
    return wording.feedbackStop();
  }

  /** What interrupts a {@link #chain} after each conclusion. */
  public List<String> chainStop() {
    return wording.chainStop();
  }

  /** A failed answer and what was said of it. */
  public record Tried(String answer, String feedback) {}

  /** Which of reference and answer a judge reads first. */
  public enum JudgeOrder {
    REFERENCE_FIRST,
    ANSWER_FIRST
  }

  /** A problem with attempts at it, as reflection sees it. */
  public record Case(String problem, List<Attempt> attempts) {
    public Case {
      attempts = List.copyOf(attempts);
    }
  }

  /** One form's way to put things. */
  interface Wording {
    PromptForm form();

    List<Message> problem(List<Message> request, List<RuleText> rules, List<EpisodeText> episodes);

    List<Message> feedback(List<Message> base, List<Tried> history, String answer);

    List<Message> revise(List<Message> base, List<Tried> history);

    List<Message> thought(List<Message> base, List<String> steps);

    List<Message> value(List<Message> base, List<String> steps);

    List<Message> chain(List<Message> base, List<String> rejected);

    List<Message> judge(
        String rubric, String problem, @Nullable String reference, String answer, JudgeOrder order);

    List<Message> reflect(List<Case> cases, int maxRules);

    List<Message> update(List<RuleText> known, List<Case> cases, int maxRules);

    String ruleLine(RuleText rule);

    String episodeLines(EpisodeText episode);

    List<String> thoughtStop();

    List<String> feedbackStop();

    List<String> chainStop();
  }
}
