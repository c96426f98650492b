package io.knack.practice.solve;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.TokenUsage;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.verify.Check;
import io.knack.practice.verify.Verification;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One task under way: what a {@link Search} can do, and the books of what it did. After {@link
 * #finish} nothing more reaches the search; the solution is reported when every request has said
 * what it cost.
 */
final class TaskRun {
  private final SolveLoop loop;
  private final SolveTask task;
  private final long startedNanos = System.nanoTime();
  private final List<Answered> answers = new ArrayList<>();
  private final Set<Asked> asked = new HashSet<>();
  private final Set<Prompt> seen = new HashSet<>();
  private final Set<CompletableFuture<Verification>> checks = new HashSet<>();
  private TokenUsage usage = TokenUsage.ZERO;
  private Budget verification = Budget.ZERO;
  private long units;
  private long wastedSamples;
  private long wastedTokens;
  private @Nullable String fault;
  private boolean finished;
  private boolean reported;

  /** An answer, checked; its prompt is known when its request completes. */
  private record Answered(
      String text, @Nullable Asked payer, long completionTokens, Verification said) {}

  TaskRun(SolveLoop loop, SolveTask task) {
    this.loop = loop;
    this.task = task;
  }

  void start(Search search) {
    search.start(this);
  }

  SolveTask task() {
    return task;
  }

  SolverOptions options() {
    return loop.options();
  }

  Prompts prompts() {
    return loop.prompts();
  }

  /** How a draw of this task is sampled. */
  Sampling sampling(long draw, int maxTokens, List<String> stop) {
    SolverOptions o = options();
    return new Sampling(
        maxTokens,
        o.temperature(),
        o.topP(),
        o.topK(),
        stop,
        Seeds.of(task.seed(), draw),
        Sampling.Logprobs.NONE);
  }

  /** Whether a prompt and its reply fit the model, as far as that is known. */
  boolean fits(List<Message> messages, int replyTokens) {
    int context = loop.model().maxContext();
    if (context == Integer.MAX_VALUE) {
      return true;
    }
    long prompt = 0;
    for (Message message : messages) {
      prompt += loop.model().countTokens(message.content()) + 4L;
    }
    return prompt + replyTokens <= context;
  }

  /** Asks the model; samples are handed over as they finish, in any order. */
  Asked ask(List<Message> messages, int samples, Sampling sampling, Consumer<Sample> then) {
    Asked request = new Asked(then);
    asked.add(request);
    Prompt prompt = options().form().render(messages, task.tools());
    request.handle =
        loop.submit(
            new GenerationRequest(prompt, task.adapter(), samples, sampling, !seen.add(prompt)),
            request);
    if (finished) {
      request.cancel();
    }
    return request;
  }

  /**
   * Checks an answer and enters it among the attempts.
   *
   * @param payer the request that its prompt is booked on; null when an earlier answer has it
   */
  void check(
      String answer, @Nullable Asked payer, long completionTokens, Consumer<Verification> then) {
    List<String> earlier = answers.stream().map(Answered::text).toList();
    CompletableFuture<Verification> underway =
        loop.check(
            task.verifier(),
            new Check(task.problem(), answer, task.reference(), earlier),
            said -> {
              verification = verification.plus(said.cost());
              if (finished) {
                return;
              }
              answers.add(new Answered(answer, payer, completionTokens, said));
              if (said.fault() != null && fault == null) {
                fault = said.fault();
              }
              then.accept(said);
            });
    if (underway != null && !underway.isDone()) {
      checks.add(underway);
    }
  }

  boolean passes(Verification said) {
    return said.fault() == null && said.score() >= options().tau();
  }

  void spend(long paperUnits) {
    units += paperUnits;
  }

  void waste(Sample sample) {
    wastedSamples++;
    wastedTokens += sample.completionTokens();
  }

  /** Ends the task: what is still asked is cancelled. */
  void finish() {
    if (finished) {
      return;
    }
    finished = true;
    abandon();
    settle();
  }

  /** Leaves nothing running. */
  void abandon() {
    List.copyOf(asked).forEach(Asked::cancel);
    checks.forEach(check -> check.cancel(true));
  }

  private void settle() {
    if (finished && asked.isEmpty() && !reported) {
      reported = true;
      loop.report(this, solution());
    }
  }

  private Solution solution() {
    Answered best = null;
    for (Answered answer : answers) {
      if (best == null || answer.said().score() > best.said().score()) {
        best = answer;
      }
      if (passes(answer.said())) {
        best = answer;
        break;
      }
    }
    boolean passed = best != null && passes(best.said());
    Budget budget =
        new Budget(
            usage.promptTokens(),
            usage.cachedPromptTokens(),
            usage.completionTokens(),
            units,
            verification.verifierCalls(),
            verification.judgeCalls(),
            verification.judgeTokens(),
            task.retrievalMicros(),
            (System.nanoTime() - startedNanos) / 1000);
    return new Solution(
        task.id(),
        passed,
        best == null ? 0 : best.said().score(),
        best == null ? "" : best.text(),
        answers.stream().map(this::attempt).toList(),
        budget,
        new Solution.Waste(wastedSamples, wastedTokens),
        passed ? null : fault);
  }

  private Attempt attempt(Answered answer) {
    TokenUsage prompt = answer.payer() == null ? TokenUsage.ZERO : answer.payer().usage;
    Verification said = answer.said();
    Outcome outcome =
        said.fault() != null || !task.verifier().independent()
            ? Outcome.UNKNOWN
            : passes(said) ? Outcome.VERIFIED : Outcome.FAILED;
    return new Attempt(
        loop.method(),
        answer.text(),
        prompt.promptTokens(),
        prompt.cachedPromptTokens(),
        answer.completionTokens(),
        said.fault() == null ? said.score() : null,
        outcome);
  }

  /** A request of this task. */
  final class Asked {
    private final Consumer<Sample> then;
    private GenerationSession.@Nullable Handle handle;
    private TokenUsage usage = TokenUsage.ZERO;
    private boolean cancelled;

    private Asked(Consumer<Sample> then) {
      this.then = then;
    }

    void cancel() {
      if (!cancelled && handle != null && asked.contains(this)) {
        cancelled = true;
        handle.cancel();
      }
    }

    void sampled(Sample sample) {
      if (finished) {
        waste(sample);
      } else {
        then.accept(sample);
      }
    }

    void completed(TokenUsage spent) {
      usage = spent;
      TaskRun.this.usage = TaskRun.this.usage.plus(spent);
      asked.remove(this);
      settle();
    }

    void failed(RuntimeException problem) {
      asked.remove(this);
      if (fault == null) {
        fault = "model: " + problem.getMessage();
      }
      finish();
      settle();
    }
  }
}
