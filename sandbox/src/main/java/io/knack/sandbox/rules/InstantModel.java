package io.knack.sandbox.rules;

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

/**
 * A model that takes no time, so that what is measured around it is not the model: right with a
 * rule in the prompt, wrong without, and of no opinion when asked to reflect.
 */
final class InstantModel implements LanguageModel {
  /** What a problem's reference says. */
  static final String RIGHT = "1";

  @Override
  public String name() {
    return "instant";
  }

  @Override
  public int maxContext() {
    return 4096;
  }

  @Override
  public int countTokens(String text) {
    return 1 + text.length() / 4;
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

  private void answer(GenerationRequest request, GenerationListener listener) {
    String prompt = request.prompt() instanceof Prompt.Text text ? text.text() : "";
    String reply =
        prompt.endsWith("rule:\n") ? "" : prompt.contains("rule: ") ? "A: " + RIGHT : "A: no idea";
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < request.samples(); i++) {
      Sample sample = new Sample(i, List.of(), reply, null, FinishReason.STOP, 4);
      samples.add(sample);
      listener.sampled(sample);
    }
    listener.completed(
        new Completion(
            List.of(),
            null,
            samples,
            new TokenUsage(countTokens(prompt), 0, 4L * request.samples(), 1)));
  }

  @Override
  public void close() {}
}
