package io.knack.llm;

/**
 * Hears of one request's samples, on the thread that runs the session. Exactly one of {@link
 * #completed} and {@link #failed} ends a request; nothing comes after it.
 */
public interface GenerationListener {
  /** A sample finished, was stopped or was cancelled. */
  default void sampled(Sample sample) {}

  /** All samples of the request have been reported. */
  default void completed(Completion completion) {}

  /**
   * What a request read and wrote before it failed; comes before {@link #failed} where there was
   * any.
   */
  default void spent(TokenUsage usage) {}

  /**
   * The request could not be answered. The default throws, which ends {@link
   * GenerationSession#run()}.
   */
  default void failed(RuntimeException problem) {
    throw problem;
  }
}
