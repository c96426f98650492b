package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.TokenUsage;
import io.knack.llm.lora.PeftAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** A request under way: its prompt, and what has become of its samples. */
final class Task implements GenerationSession.Handle {
  private static final int SHARING_SAMPLES = 4;
  private static final int SHARED_TOKENS = 128;

  final GenerationRequest request;
  final GenerationListener listener;
  final List<Integer> prompt;
  final @Nullable PeftAdapter adapter;
  final Set<Integer> stopIds;
  final int limit;
  final long seed;
  private final long started = System.nanoTime();
  private final @Nullable Sample[] samples;
  private int reported;
  private int cachedPromptTokens;
  private long completionTokens;
  private volatile boolean cancelled;
  private boolean failed;

  /** Samples that have a row, or had one. */
  int begun;

  /** The prompt's last logits (1, V), while samples wait for a row. */
  @Nullable NDArray logits;

  @Nullable List<@Nullable Float> promptLogprobs;

  /**
   * @param stopIds tokens that end a sample beside the model's own
   * @param limit new tokens at most, with the context's end in mind
   */
  Task(
      GenerationRequest request,
      GenerationListener listener,
      List<Integer> prompt,
      @Nullable PeftAdapter adapter,
      Set<Integer> stopIds,
      int limit) {
    this.request = request;
    this.listener = listener;
    this.prompt = prompt;
    this.adapter = adapter;
    this.stopIds = stopIds;
    this.limit = limit;
    this.samples = new Sample[request.samples()];
    Long given = request.sampling().seed();
    this.seed = given == null ? ThreadLocalRandom.current().nextLong() : given;
  }

  Sampling sampling() {
    return request.sampling();
  }

  /**
   * Whether the prompt is read once for all of the samples: where they are many and it is long, for
   * otherwise two passes cost more than they save (decision 0012). Of the request alone, so that a
   * sample's numbers do not depend on its companions.
   */
  boolean sharesPrompt() {
    return request.samples() >= SHARING_SAMPLES && prompt.size() >= SHARED_TOKENS;
  }

  boolean scoresPrompt() {
    return sampling().logprobs() == Sampling.Logprobs.PROMPT_AND_COMPLETION;
  }

  boolean scores() {
    return sampling().logprobs() != Sampling.Logprobs.NONE;
  }

  boolean cancelled() {
    return cancelled;
  }

  boolean waiting() {
    return !cancelled && begun < request.samples();
  }

  @Override
  public void cancel() {
    cancelled = true;
  }

  /**
   * A number in [0, 1) that depends on seed, sample and place only: SplitMix64's output function
   * (Steele, Lea, Flood 2014) over a counter.
   */
  float uniform(int sample, int place) {
    long z = seed * 0xD1342543DE82EF95L + ((long) sample << 32) + place;
    for (int round = 0; round < 2; round++) {
      z += 0x9E3779B97F4A7C15L;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      z ^= z >>> 31;
    }
    return (z >>> 40) * 0x1.0p-24f;
  }

  /** Ends the request with this, and with nothing after it. */
  void fail(RuntimeException problem) {
    if (!failed) {
      failed = true;
      cancelled = true;
      if (begun > 0) {
        listener.spent(usage());
      }
      listener.failed(problem);
    }
  }

  void report(Sample sample) {
    samples[sample.index()] = sample;
    completionTokens += sample.completionTokens();
    reported++;
    if (!failed) {
      listener.sampled(sample);
    }
  }

  /** Takes what was computed of the same prompt for a request that has ended. */
  void inherit(Task ended) {
    logits = ended.logits;
    ended.logits = null;
    cachedPromptTokens = prompt.size();
  }

  /** Reports the samples that never began, as cancelled. */
  void reportRest() {
    for (int i = begun; i < request.samples(); i++) {
      report(new Sample(i, List.of(), "", scores() ? List.of() : null, FinishReason.CANCELLED, 0));
    }
    begun = request.samples();
  }

  /** Tells the listener when the last sample is in. */
  void completeIfDone() {
    if (reported < request.samples()) {
      return;
    }
    reported = Integer.MIN_VALUE;
    if (logits != null) {
      logits.close();
      logits = null;
    }
    if (failed) {
      return;
    }
    List<Sample> all = new ArrayList<>();
    for (Sample sample : samples) {
      if (sample != null) {
        all.add(sample);
      }
    }
    listener.completed(new Completion(prompt, promptLogprobs, List.copyOf(all), usage()));
  }

  private TokenUsage usage() {
    return new TokenUsage(
        prompt.size(),
        request.repeats() ? prompt.size() : cachedPromptTokens,
        completionTokens,
        (System.nanoTime() - started) / 1000);
  }
}
