package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Draft;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.contracts.Rule;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.Completion;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.TokenUsage;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.solve.Seeds;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Asks a model for rules, of all lessons in one batch, and keeps the drafts that may be replayed.
 */
final class Reflector {
  private static final RuleId NO_ID = new RuleId("draft");

  /** What a template adds to a message, about. */
  private static final long TURN_TOKENS = 4;

  private final LanguageModel model;
  private final ReflectPlan plan;
  private final Prompts prompts;
  private final DraftReader reader;
  private TokenUsage usage = TokenUsage.ZERO;
  private long calls;
  private long faults;
  private long tooLong;
  private @Nullable RuntimeException lastFault;

  Reflector(LanguageModel model, ReflectPlan plan, DraftReader reader) {
    this.model = model;
    this.plan = plan;
    this.prompts = Prompts.of(plan.solver().form());
    this.reader = reader;
  }

  TokenUsage usage() {
    return usage;
  }

  long calls() {
    return calls;
  }

  long faults() {
    return faults;
  }

  /** Reflections that were not asked: prompt and reply have no room in the model's context. */
  long tooLong() {
    return tooLong;
  }

  /** What is asked, of which cases, and what came back. */
  private static final class Question implements GenerationListener {
    private final List<Message> messages;
    private final double temperature;
    private final long seed;
    private final List<String> replies = new ArrayList<>();
    private TokenUsage usage = TokenUsage.ZERO;
    private @Nullable RuntimeException fault;

    Question(List<Message> messages, double temperature, long seed) {
      this.messages = messages;
      this.temperature = temperature;
      this.seed = seed;
    }

    @Override
    public void completed(Completion completion) {
      usage = completion.usage();
      completion.samples().stream()
          .sorted(Comparator.comparingInt(Sample::index))
          .forEach(sample -> replies.add(sample.text()));
    }

    @Override
    public void failed(RuntimeException problem) {
      fault = problem;
    }
  }

  /**
   * Proposals per lesson and way, the most voted first.
   *
   * @param known the live rules of a lesson and way, which a running reflection starts from
   */
  Map<Lesson, Map<Way, List<Proposal>>> propose(
      List<Lesson> lessons, BiFunction<Lesson, Way, List<Rule>> known) {
    Map<Lesson, Map<Way, List<Proposal>>> all = new LinkedHashMap<>();
    lessons.forEach(lesson -> all.put(lesson, new EnumMap<>(Way.class)));
    lessons.forEach(reader::know);
    if (plan.ways().contains(Way.REFLECT) || plan.ways().contains(Way.MULTI_CASE)) {
      atOnce(lessons, all);
    }
    if (plan.ways().contains(Way.UPDATE)) {
      running(lessons, known, all);
    }
    if (calls > 0 && faults == calls) {
      throw new TemporaryException(
          "the model answered none of " + calls + " reflections: " + lastFault, lastFault);
    }
    return all;
  }

  private void atOnce(List<Lesson> lessons, Map<Lesson, Map<Way, List<Proposal>>> all) {
    record Asked(Lesson lesson, Way way, List<Lesson.SolvedCase> cases, Question question) {}
    List<Asked> asked = new ArrayList<>();
    for (Lesson lesson : lessons) {
      if (lesson.cases().isEmpty()) {
        continue;
      }
      if (plan.ways().contains(Way.REFLECT)) {
        for (Lesson.SolvedCase one : lesson.cases()) {
          asked.add(
              new Asked(
                  lesson,
                  Way.REFLECT,
                  List.of(one),
                  question(lesson, Way.REFLECT, List.of(one), 0)));
        }
      }
      if (plan.ways().contains(Way.MULTI_CASE)) {
        for (int sample = 0; sample < plan.drafting().samples(); sample++) {
          List<Lesson.SolvedCase> together = together(lesson.cases(), sample);
          asked.add(
              new Asked(
                  lesson,
                  Way.MULTI_CASE,
                  together,
                  question(lesson, Way.MULTI_CASE, together, sample)));
        }
      }
    }
    ask(asked.stream().map(Asked::question).toList());
    Map<Lesson, Map<Way, List<Proposal>>> raw = new HashMap<>();
    for (Asked one : asked) {
      for (String reply : one.question().replies) {
        reader
            .read(reply, one.lesson(), one.cases(), List.of())
            .ifPresent(
                proposal ->
                    raw.computeIfAbsent(one.lesson(), l -> new EnumMap<>(Way.class))
                        .computeIfAbsent(one.way(), w -> new ArrayList<>())
                        .add(proposal));
      }
    }
    raw.forEach(
        (lesson, ways) ->
            ways.forEach(
                (way, proposals) ->
                    all.getOrDefault(lesson, new EnumMap<>(Way.class))
                        .put(way, merged(proposals))));
  }

  private Question question(Lesson lesson, Way way, List<Lesson.SolvedCase> cases, int sample) {
    return new Question(
        prompts.reflect(
            cases.stream().map(Lesson.SolvedCase::solved).toList(), plan.drafting().maxRules()),
        way == Way.MULTI_CASE ? plan.drafting().temperature() : 0,
        Seeds.of(seed(lesson, way, cases.get(0).id()), sample));
  }

  /** The cases of one reply: each reply begins at another of the newest. */
  private List<Lesson.SolvedCase> together(List<Lesson.SolvedCase> cases, int sample) {
    int count = Math.min(plan.drafting().together(), cases.size());
    List<Lesson.SolvedCase> together = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      together.add(cases.get((sample + i) % cases.size()));
    }
    return fitting(together);
  }

  private long seed(Lesson lesson, Way way, ExampleId first) {
    return Seeds.of(
        plan.seed(), (lesson.cluster() + "\n" + lesson.tenant() + way + first).hashCode());
  }

  /** Each round shows every lesson its next case; all lessons are asked together. */
  private void running(
      List<Lesson> lessons,
      BiFunction<Lesson, Way, List<Rule>> known,
      Map<Lesson, Map<Way, List<Proposal>>> all) {
    Map<Lesson, Proposal> state = new LinkedHashMap<>();
    // What the reflection said on its way, by text, the newest last: its last word is not always
    // its best, and the screening tells.
    Map<Lesson, Map<String, Proposal>> stations = new LinkedHashMap<>();
    Map<Lesson, List<String>> before = new HashMap<>();
    for (Lesson lesson : lessons) {
      List<Rule> rules = known.apply(lesson, Way.UPDATE);
      state.put(
          lesson,
          new Proposal(
              rules.stream().map(r -> new Draft(r.when(), r.then(), r.scope())).toList(),
              rules.stream().flatMap(r -> r.evidence().stream()).distinct().toList(),
              0));
      before.put(
          lesson, rules.stream().map(r -> r.when() + " " + r.then() + " " + r.scope()).toList());
    }
    int rounds = lessons.stream().mapToInt(l -> l.cases().size()).max().orElse(0);
    for (int round = 0; round < rounds; round++) {
      Map<Lesson, Question> asked = new LinkedHashMap<>();
      for (Lesson lesson : lessons) {
        // The oldest first, so that the newest has the last word.
        int at = lesson.cases().size() - 1 - round;
        if (at >= 0) {
          Lesson.SolvedCase next = lesson.cases().get(at);
          Proposal now = state.getOrDefault(lesson, new Proposal(List.of(), List.of(), 0));
          List<RuleText> texts = now.drafts().stream().map(d -> d.text(NO_ID)).toList();
          int most = plan.drafting().maxRules();
          asked.put(
              lesson,
              new Question(
                  texts.isEmpty()
                      ? prompts.reflect(List.of(next.solved()), most)
                      : prompts.update(texts, List.of(next.solved()), most),
                  0,
                  seed(lesson, Way.UPDATE, next.id())));
        }
      }
      ask(List.copyOf(asked.values()));
      for (Map.Entry<Lesson, Question> entry : asked.entrySet()) {
        Lesson lesson = entry.getKey();
        List<Lesson.SolvedCase> seen =
            lesson.cases().subList(lesson.cases().size() - 1 - round, lesson.cases().size());
        for (String reply : entry.getValue().replies) {
          reader
              .read(reply, lesson, seen, before.getOrDefault(lesson, List.of()))
              .ifPresent(
                  proposal -> {
                    Proposal old = state.get(lesson);
                    boolean same = old != null && key(old).equals(key(proposal));
                    Set<ExampleId> evidence = new LinkedHashSet<>(proposal.evidence());
                    if (old != null) {
                      evidence.addAll(old.evidence());
                    }
                    Proposal now =
                        new Proposal(
                            proposal.drafts(),
                            List.copyOf(evidence),
                            same && old != null ? old.votes() + 1 : 1);
                    state.put(lesson, now);
                    stations.computeIfAbsent(lesson, l -> new LinkedHashMap<>()).remove(key(now));
                    stations.computeIfAbsent(lesson, l -> new LinkedHashMap<>()).put(key(now), now);
                  });
        }
      }
    }
    stations.forEach(
        (lesson, passed) -> {
          List<Proposal> newestFirst = new ArrayList<>(passed.values());
          Collections.reverse(newestFirst);
          all.getOrDefault(lesson, new EnumMap<>(Way.class)).put(Way.UPDATE, newestFirst);
        });
  }

  /** As many cases as the model can read, the newest of them. */
  private List<Lesson.SolvedCase> fitting(List<Lesson.SolvedCase> cases) {
    List<Lesson.SolvedCase> fitting = cases;
    while (fitting.size() > 1
        && !fits(
            prompts.reflect(
                fitting.stream().map(Lesson.SolvedCase::solved).toList(),
                plan.drafting().maxRules()))) {
      fitting = fitting.subList(0, fitting.size() - 1);
    }
    return fitting;
  }

  /** Whether prompt and reply have room in the model's context, where that is known. */
  private boolean fits(List<Message> prompt) {
    int context = model.maxContext();
    return context == Integer.MAX_VALUE
        || plan.drafting().replyTokens()
                + prompt.stream().mapToLong(m -> model.countTokens(m.content()) + TURN_TOKENS).sum()
            <= context;
  }

  /** A question that has no room is not asked: another attempt would not find more. */
  private void ask(List<Question> all) {
    List<Question> questions = all.stream().filter(q -> fits(q.messages)).toList();
    tooLong += all.size() - questions.size();
    if (questions.isEmpty()) {
      return;
    }
    List<String> stop =
        switch (plan.solver().form()) {
          case SHORT -> List.of("\n");
          case INSTRUCT -> List.of();
        };
    try (GenerationSession session = model.open()) {
      for (Question question : questions) {
        session.submit(
            new GenerationRequest(
                plan.solver().form().render(question.messages, null),
                null,
                1,
                new Sampling(
                    plan.drafting().replyTokens(),
                    question.temperature,
                    1,
                    0,
                    stop,
                    question.seed,
                    Sampling.Logprobs.NONE)),
            question);
      }
      session.run();
    }
    for (Question question : questions) {
      calls++;
      usage = usage.plus(question.usage);
      if (question.fault != null) {
        faults++;
        lastFault = question.fault;
      }
    }
  }

  /** Equal proposals become one with all their evidence; the most voted first. */
  private List<Proposal> merged(List<Proposal> proposals) {
    Map<String, Proposal> byText = new LinkedHashMap<>();
    for (Proposal proposal : proposals) {
      byText.merge(
          key(proposal),
          proposal,
          (a, b) -> {
            Set<ExampleId> evidence = new LinkedHashSet<>(a.evidence());
            evidence.addAll(b.evidence());
            return new Proposal(a.drafts(), List.copyOf(evidence), a.votes() + b.votes());
          });
    }
    List<Proposal> ordered = new ArrayList<>(byText.values());
    ordered.sort(Comparator.comparingInt(Proposal::votes).reversed());
    int most = plan.replaying().screened();
    return List.copyOf(ordered.subList(0, Math.min(most, ordered.size())));
  }

  private static String key(Proposal proposal) {
    StringBuilder key = new StringBuilder();
    for (Draft draft : proposal.drafts()) {
      key.append(draft.words().toLowerCase(Locale.ROOT).replaceAll("\\s+", " ")).append('\n');
    }
    return key.toString();
  }
}
