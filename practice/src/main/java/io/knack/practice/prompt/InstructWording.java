package io.knack.practice.prompt;

import io.knack.contracts.Attempt;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * English for instruct models. Memory goes into the system message, what a method asks into the
 * last user turn or into turns after it, so that roles alternate as chat templates require.
 */
final class InstructWording implements Prompts.Wording {
  private final Templates templates;

  InstructWording(String version) {
    templates =
        new Templates(
            version + "/instruct",
            List.of(
                "rule",
                "rules",
                "episode",
                "episodes",
                "feedback",
                "revise",
                "thought",
                "value",
                "long",
                "again",
                "judge",
                "judge_part",
                "case",
                "attempt",
                "reflect",
                "update"));
  }

  @Override
  public PromptForm form() {
    return PromptForm.INSTRUCT;
  }

  @Override
  public List<Message> problem(
      List<Message> request, List<RuleText> ruleTexts, List<EpisodeText> episodeTexts) {
    String memory =
        Stream.of(
                ruleTexts.isEmpty()
                    ? ""
                    : templates.fill(
                        "rules",
                        Map.of(
                            "rules",
                            ruleTexts.stream().map(this::ruleLine).collect(Collectors.joining()))),
                episodeTexts.isEmpty()
                    ? ""
                    : templates.fill(
                        "episodes",
                        Map.of(
                            "episodes",
                            episodeTexts.stream()
                                .map(this::episodeLines)
                                .collect(Collectors.joining("\n")))))
            .filter(part -> !part.isEmpty())
            .map(String::strip)
            .collect(Collectors.joining("\n\n"));
    if (memory.isEmpty()) {
      return request;
    }
    List<Message> messages = new ArrayList<>(request);
    if (!messages.isEmpty() && messages.get(0).role() == Role.SYSTEM) {
      messages.set(0, Message.system(messages.get(0).content().strip() + "\n\n" + memory));
    } else {
      messages.add(0, Message.system(memory));
    }
    return messages;
  }

  @Override
  public List<Message> feedback(List<Message> base, List<Prompts.Tried> history, String answer) {
    List<Message> messages = withHistory(base, history);
    messages.add(Message.assistant(answer));
    messages.add(Message.user(templates.fill("feedback", Map.of()).strip()));
    return messages;
  }

  @Override
  public List<Message> revise(List<Message> base, List<Prompts.Tried> history) {
    return withHistory(base, history);
  }

  private List<Message> withHistory(List<Message> base, List<Prompts.Tried> history) {
    List<Message> messages = new ArrayList<>(base);
    for (Prompts.Tried tried : history) {
      messages.add(Message.assistant(tried.answer()));
      messages.add(Message.user(templates.fill("feedback", Map.of()).strip()));
      messages.add(Message.assistant(tried.feedback()));
      messages.add(Message.user(templates.fill("revise", Map.of()).strip()));
    }
    return messages;
  }

  @Override
  public List<Message> thought(List<Message> base, List<String> steps) {
    return extended(base, "thought", steps(steps));
  }

  @Override
  public List<Message> value(List<Message> base, List<String> steps) {
    return extended(base, "value", steps(steps));
  }

  private static String steps(List<String> steps) {
    return steps.isEmpty() ? "(none yet)" : String.join("\n", steps);
  }

  @Override
  public List<Message> chain(List<Message> base, List<String> rejected) {
    List<Message> messages = extended(base, "long", "");
    for (String part : rejected) {
      messages.add(Message.assistant(part.strip()));
      messages.add(Message.user(templates.fill("again", Map.of()).strip()));
    }
    return messages;
  }

  /** The base with the last user turn put into a template. */
  private List<Message> extended(List<Message> base, String template, String steps) {
    List<Message> messages = new ArrayList<>(base);
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role() == Role.USER) {
        String problem = messages.get(i).content();
        messages.set(
            i,
            Message.user(
                templates.fill(template, Map.of("problem", problem, "steps", steps)).strip()));
        return messages;
      }
    }
    messages.add(
        Message.user(templates.fill(template, Map.of("problem", "", "steps", steps)).strip()));
    return messages;
  }

  @Override
  public List<Message> judge(
      String rubric,
      String problem,
      @Nullable String reference,
      String answer,
      Prompts.JudgeOrder order) {
    String known = reference == null ? "" : part("REFERENCE", reference);
    String given = part("ANSWER", answer);
    List<String> parts =
        switch (order) {
          case REFERENCE_FIRST -> List.of(part("PROBLEM", problem), known, given);
          case ANSWER_FIRST -> List.of(given, known, part("PROBLEM", problem));
        };
    return List.of(
        Message.user(
            templates
                .fill(
                    "judge",
                    Map.of(
                        "rubric",
                        rubric,
                        "parts",
                        parts.stream().filter(p -> !p.isEmpty()).collect(Collectors.joining("\n"))))
                .strip()));
  }

  private String part(String name, String text) {
    String unmarked = text.replace("<<<", "< < <").replace(">>>", "> > >");
    return templates.fill("judge_part", Map.of("name", name, "text", unmarked)).strip();
  }

  @Override
  public List<Message> reflect(List<Prompts.Case> cases, int maxRules) {
    return List.of(
        Message.user(
            templates
                .fill(
                    "reflect",
                    Map.of("cases", cases(cases), "max_rules", Integer.toString(maxRules)))
                .strip()));
  }

  @Override
  public List<Message> update(List<RuleText> known, List<Prompts.Case> cases, int maxRules) {
    return List.of(
        Message.user(
            templates
                .fill(
                    "update",
                    Map.of(
                        "rule",
                        known.stream().map(this::ruleLine).collect(Collectors.joining()).strip(),
                        "cases",
                        cases(cases),
                        "max_rules",
                        Integer.toString(maxRules)))
                .strip()));
  }

  private String cases(List<Prompts.Case> cases) {
    return cases.stream()
        .map(
            c ->
                templates
                    .fill(
                        "case",
                        Map.of(
                            "problem",
                            quoted(c.problem()),
                            "attempts",
                            c.attempts().stream().map(this::attempt).collect(Collectors.joining())))
                    .strip())
        .collect(Collectors.joining("\n\n"));
  }

  private String attempt(Attempt a) {
    return templates.fill(
        "attempt",
        Map.of(
            "outcome",
            a.outcome() == Outcome.VERIFIED ? "Accepted attempt" : "Rejected attempt",
            "answer",
            quoted(a.text())));
  }

  /** Keeps material from looking like a heading of the prompt. */
  private static String quoted(String text) {
    return text.strip().lines().map(line -> "> " + line).collect(Collectors.joining("\n"));
  }

  @Override
  public String ruleLine(RuleText text) {
    String then = ShortWording.oneLine(text.then());
    return templates.fill(
        "rule",
        Map.of(
            "rule",
            text.when().isBlank() ? then : ShortWording.oneLine(text.when()) + ": " + then));
  }

  @Override
  public String episodeLines(EpisodeText text) {
    return templates.fill(
        "episode", Map.of("problem", text.problem().strip(), "solution", text.solution().strip()));
  }

  @Override
  public List<String> thoughtStop() {
    return List.of();
  }

  @Override
  public List<String> feedbackStop() {
    return List.of();
  }

  @Override
  public List<String> chainStop() {
    return List.of("\nCheck:");
  }
}
