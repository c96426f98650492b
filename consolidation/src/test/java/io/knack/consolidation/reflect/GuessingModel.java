package io.knack.consolidation.reflect;

import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.TokenUsage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model of a world in which each policy adds a constant that the model does not know: it guesses
 * one of ten, unless a rule in the prompt names the policy, and writes the rule that the first
 * accepted attempt shows. Replies depend on prompt, seed and index alone.
 */
final class GuessingModel implements LanguageModel {
  private static final Pattern PROBLEM = Pattern.compile("Q: (\\w+) plus (\\d+)\n$");
  private static final Pattern CASE = Pattern.compile("Q: (\\w+) plus \\d+\n");
  private static final Pattern GOOD = Pattern.compile("good:\n\\d+\\+(\\d+)=");

  /** What it says instead, when a reflection shows this policy; null for its own words. */
  String hijacked = "";

  String hijack = "";
  boolean down;
  int context = 4096;

  /** Whether it misspells the policy that a reflection is about. */
  boolean misspells;

  final List<String> reflections = new ArrayList<>();

  @Override
  public String name() {
    return "guessing";
  }

  @Override
  public int maxContext() {
    return context;
  }

  @Override
  public int countTokens(String text) {
    return text.isBlank() ? 0 : text.strip().split("\\s+", -1).length;
  }

  @Override
  public GenerationSession open() {
    Deque<Runnable> queue = new ArrayDeque<>();
    return new GenerationSession() {
      @Override
      public Handle submit(GenerationRequest request, GenerationListener listener) {
        queue.add(() -> answer(request, listener));
        return () -> {};
      }

      @Override
      public void run() {
        for (Runnable next = queue.poll(); next != null; next = queue.poll()) {
          next.run();
        }
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void close() {}

  private void answer(GenerationRequest request, GenerationListener listener) {
    if (down) {
      listener.failed(new IllegalStateException("connection refused"));
      return;
    }
    String prompt = ((Prompt.Text) request.prompt()).text();
    List<Sample> samples = new ArrayList<>();
    long tokens = 0;
    for (int i = 0; i < request.samples(); i++) {
      Long seed = request.sampling().seed();
      String text = reply(prompt, (seed == null ? 0 : seed) + i);
      Sample sample =
          new Sample(i, List.of(), text, null, FinishReason.STOP, countTokens(text) + 1);
      tokens += sample.completionTokens();
      samples.add(sample);
      listener.sampled(sample);
    }
    listener.completed(
        new Completion(
            List.of(), null, samples, new TokenUsage(countTokens(prompt), 0, tokens, 1)));
  }

  private String reply(String prompt, long seed) {
    if (prompt.endsWith("rule:\n")) {
      reflections.add(prompt);
      Matcher policy = CASE.matcher(prompt);
      Matcher good = GOOD.matcher(prompt);
      if (!policy.find() || !good.find()) {
        return "nothing => here\nto read";
      }
      return policy.group(1).equals(hijacked)
          ? hijack
          : policy.group(1) + (misspells ? "ish" : "") + " => add " + good.group(1);
    }
    Matcher problem = PROBLEM.matcher(prompt);
    if (!problem.find()) {
      return "A: ?";
    }
    Matcher rule =
        Pattern.compile("rule: " + problem.group(1) + " => add (\\d+)\n").matcher(prompt);
    long constant =
        rule.find() ? Long.parseLong(rule.group(1)) : new SplittableRandom(seed).nextInt(10);
    long number = Long.parseLong(problem.group(2));
    return number + "+" + constant + "=" + (number + constant) + "\nA: " + (number + constant);
  }
}
