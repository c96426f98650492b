package io.knack.practice.prompt;

import io.knack.contracts.Attempt;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Problems;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Marked lines of plain text in one user message. Only the last user turn of a request is used.
 * Text from outside is squeezed into the lines it may take: a problem, rule or feedback into one,
 * an answer into lines none of which begins with a mark of a prompt.
 */
final class ShortWording implements Prompts.Wording {
  private static final List<String> MARKS =
      List.of(
          "rule:", "ex:", "Q:", "try:", "why:", "fix:", "value:", "long:", "judge:", "bad:",
          "good:", "old:");

  private final Templates templates;

  ShortWording(String version) {
    templates =
        new Templates(
            version + "/short",
            List.of(
                "rule",
                "episode",
                "problem",
                "tried",
                "feedback",
                "revise",
                "thought",
                "value",
                "long",
                "again",
                "judge",
                "case",
                "attempt",
                "reflect",
                "update"));
  }

  @Override
  public PromptForm form() {
    return PromptForm.SHORT;
  }

  @Override
  public List<Message> problem(
      List<Message> request, List<RuleText> rules, List<EpisodeText> episodes) {
    return user(
        templates.fill(
            "problem",
            Map.of(
                "rules", rules.stream().map(this::ruleLine).collect(Collectors.joining()),
                "episodes", episodes.stream().map(this::episodeLines).collect(Collectors.joining()),
                "problem", oneLine(Problems.of(request)))));
  }

  @Override
  public List<Message> feedback(List<Message> base, List<Prompts.Tried> history, String answer) {
    return user(
        templates.fill(
            "feedback",
            Map.of("base", text(base), "history", history(history), "answer", lines(answer))));
  }

  @Override
  public List<Message> revise(List<Message> base, List<Prompts.Tried> history) {
    return user(templates.fill("revise", Map.of("base", text(base), "history", history(history))));
  }

  private String history(List<Prompts.Tried> history) {
    return history.stream()
        .map(
            t ->
                templates.fill(
                    "tried",
                    Map.of("answer", lines(t.answer()), "feedback", oneLine(t.feedback()))))
        .collect(Collectors.joining());
  }

  @Override
  public List<Message> thought(List<Message> base, List<String> steps) {
    return user(templates.fill("thought", Map.of("base", text(base), "steps", steps(steps))));
  }

  @Override
  public List<Message> value(List<Message> base, List<String> steps) {
    return user(templates.fill("value", Map.of("base", text(base), "steps", steps(steps))));
  }

  private static String steps(List<String> steps) {
    return steps.stream().map(step -> oneLine(step) + "\n").collect(Collectors.joining());
  }

  @Override
  public List<Message> chain(List<Message> base, List<String> rejected) {
    return user(
        templates.fill(
            "long",
            Map.of(
                "base",
                text(base),
                "chain",
                rejected.stream()
                    .map(
                        part ->
                            templates.fill(
                                "again", Map.of("part", part.endsWith("\n") ? part : part + "\n")))
                    .collect(Collectors.joining()))));
  }

  @Override
  public List<Message> judge(
      String rubric,
      String problem,
      @Nullable String reference,
      String answer,
      Prompts.JudgeOrder order) {
    String known =
        reference == null
            ? ""
            : templates.fill("attempt", Map.of("outcome", "good", "answer", lines(reference)));
    return user(
        templates.fill(
            "judge",
            Map.of("problem", oneLine(problem), "reference", known, "answer", lines(answer))));
  }

  @Override
  public List<Message> reflect(List<Prompts.Case> cases, int maxRules) {
    return user(templates.fill("reflect", Map.of("cases", cases(cases))));
  }

  @Override
  public List<Message> update(List<RuleText> known, List<Prompts.Case> cases, int maxRules) {
    return user(
        templates.fill(
            "update",
            Map.of(
                "rule",
                known.stream().map(ShortWording::sentence).collect(Collectors.joining("; ")),
                "cases",
                cases(cases))));
  }

  private String cases(List<Prompts.Case> cases) {
    return cases.stream()
        .map(
            c ->
                templates.fill(
                    "case",
                    Map.of(
                        "problem",
                        oneLine(c.problem()),
                        "attempts",
                        c.attempts().stream().map(this::attempt).collect(Collectors.joining()))))
        .collect(Collectors.joining());
  }

  private String attempt(Attempt a) {
    return templates.fill(
        "attempt",
        Map.of(
            "outcome",
            a.outcome() == Outcome.VERIFIED ? "good" : "bad",
            "answer",
            lines(a.text())));
  }

  @Override
  public String ruleLine(RuleText text) {
    return templates.fill("rule", Map.of("rule", sentence(text)));
  }

  private static String sentence(RuleText text) {
    String then = oneLine(text.then());
    return text.when().isBlank() ? then : oneLine(text.when()) + " => " + then;
  }

  @Override
  public String episodeLines(EpisodeText text) {
    return templates.fill(
        "episode", Map.of("problem", oneLine(text.problem()), "solution", lines(text.solution())));
  }

  @Override
  public List<String> thoughtStop() {
    return List.of("\n");
  }

  @Override
  public List<String> feedbackStop() {
    return List.of("\n");
  }

  @Override
  public List<String> chainStop() {
    return List.of("check:");
  }

  private static List<Message> user(String text) {
    return List.of(Message.user(text));
  }

  private static String text(List<Message> base) {
    return base.stream().map(Message::content).collect(Collectors.joining());
  }

  static String oneLine(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  /** Non-blank lines without their line end at the last; a template adds that. */
  static String lines(String text) {
    return text.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .map(line -> MARKS.stream().anyMatch(line::startsWith) ? " " + line : line)
        .collect(Collectors.joining("\n"));
  }
}
