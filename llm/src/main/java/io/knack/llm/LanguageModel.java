package io.knack.llm;

import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A model that answers prompts: in this process ({@code io.knack.llm.local}) or behind an
 * OpenAI-compatible endpoint ({@code io.knack.llm.http}). Both report the same {@link TokenUsage}.
 */
public interface LanguageModel extends AutoCloseable {
  /** The name that serving knows the model by. */
  String name();

  /** Prompt and completion together, in tokens; {@link Integer#MAX_VALUE} when unknown. */
  int maxContext();

  /** Length in tokens; an estimate where the endpoint has no tokenizer. */
  int countTokens(String text);

  /** Starts a session: one batch that is kept full. Sessions of a model run one at a time. */
  GenerationSession open();

  /** Answers all requests in one batch; completions are in the order of the requests. */
  default List<Completion> generate(List<GenerationRequest> requests) {
    AtomicReferenceArray<Completion> completions = new AtomicReferenceArray<>(requests.size());
    try (GenerationSession session = open()) {
      for (int i = 0; i < requests.size(); i++) {
        int at = i;
        session.submit(
            requests.get(i),
            new GenerationListener() {
              @Override
              public void completed(Completion completion) {
                completions.set(at, completion);
              }
            });
      }
      session.run();
    }
    return java.util.stream.IntStream.range(0, requests.size()).mapToObj(completions::get).toList();
  }

  @Override
  void close();
}
