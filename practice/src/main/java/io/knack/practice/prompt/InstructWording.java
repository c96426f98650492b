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
  private final Template rule;
  private final Template rules;
  private final Template episode;
  private final Template episodes;
  private final Template feedback;
  private final Template revise;
  private final Template thought;
  private final Template value;
  private final Template longChain;
  private final Template again;
  private final Template judge;
  private final Template judgePart;
  private final Template solvedCase;
  private final Template attempt;
  private final Template reflect;
  private final Template update;

  InstructWording(String version) {
    rule = template(version, "rule");
    rules = template(version, "rules");
    episode = template(version, "episode");
    episodes = template(version, "episodes");
    feedback = template(version, "feedback");
    revise = template(version, "revise");
    thought = template(version, "thought");
    value = template(version, "value");
    longChain = template(version, "long");
    again = template(version, "again");
    judge = template(version, "judge");
    judgePart = template(version, "judge_part");
    solvedCase = template(version, "case");
    attempt = template(version, "attempt");
    reflect = template(version, "reflect");
    update = template(version, "update");
  }

  private static Template template(String version, String name) {
    return Template.resource(version + "/instruct/" + name + ".txt");
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
                    : rules.fill(
                        Map.of(
                            "rules",
                            ruleTexts.stream().map(this::ruleLine).collect(Collectors.joining()))),
                episodeTexts.isEmpty()
                    ? ""
                    : episodes.fill(
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
    messages.add(Message.user(feedback.fill(Map.of()).strip()));
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
      messages.add(Message.user(feedback.fill(Map.of()).strip()));
      messages.add(Message.assistant(tried.feedback()));
      messages.add(Message.user(revise.fill(Map.of()).strip()));
    }
    return messages;
  }

  @Override
  public List<Message> thought(List<Message> base, List<String> steps) {
    return extended(base, thought, steps(steps));
  }

  @Override
  public List<Message> value(List<Message> base, List<String> steps) {
    return extended(base, value, steps(steps));
  }

  private static String steps(List<String> steps) {
    return steps.isEmpty() ? "(none yet)" : String.join("\n", steps);
  }

  @Override
  public List<Message> chain(List<Message> base, List<String> rejected) {
    List<Message> messages = extended(base, longChain, "");
    for (String part : rejected) {
      messages.add(Message.assistant(part.strip()));
      messages.add(Message.user(again.fill(Map.of()).strip()));
    }
    return messages;
  }

  /** The base with the last user turn put into a template. */
  private static List<Message> extended(List<Message> base, Template template, String steps) {
    List<Message> messages = new ArrayList<>(base);
    for (int i = messages.size() - 1; i >= 0; i--) {
      if (messages.get(i).role() == Role.USER) {
        String problem = messages.get(i).content();
        messages.set(
            i, Message.user(template.fill(Map.of("problem", problem, "steps", steps)).strip()));
        return messages;
      }
    }
    messages.add(Message.user(template.fill(Map.of("problem", "", "steps", steps)).strip()));
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
            judge
                .fill(
                    Map.of(
                        "rubric",
                        rubric,
                        "parts",
                        parts.stream().filter(p -> !p.isEmpty()).collect(Collectors.joining("\n"))))
                .strip()));
  }

  private String part(String name, String text) {
    String unmarked = text.replace("<<<", "< < <").replace(">>>", "> > >");
    return judgePart.fill(Map.of("name", name, "text", unmarked)).strip();
  }

  @Override
  public List<Message> reflect(List<Prompts.Case> cases, int maxRules) {
    return List.of(
        Message.user(
            reflect
                .fill(Map.of("cases", cases(cases), "max_rules", Integer.toString(maxRules)))
                .strip()));
  }

  @Override
  public List<Message> update(List<RuleText> known, List<Prompts.Case> cases, int maxRules) {
    return List.of(
        Message.user(
            update
                .fill(
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
                solvedCase
                    .fill(
                        Map.of(
                            "problem",
                            quoted(c.problem()),
                            "attempts",
                            c.attempts().stream().map(this::attempt).collect(Collectors.joining())))
                    .strip())
        .collect(Collectors.joining("\n\n"));
  }

  private String attempt(Attempt a) {
    return attempt.fill(
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
    return rule.fill(
        Map.of(
            "rule",
            text.when().isBlank() ? then : ShortWording.oneLine(text.when()) + ": " + then));
  }

  @Override
  public String episodeLines(EpisodeText text) {
    return episode.fill(
        Map.of("problem", text.problem().strip(), "solution", text.solution().strip()));
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
