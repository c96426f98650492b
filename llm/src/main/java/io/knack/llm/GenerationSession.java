package io.knack.llm;

import org.jspecify.annotations.Nullable;

/**
 * An event loop over one continuous batch. The caller submits requests, then calls {@link #run()}:
 * listeners are called on the caller's thread, may submit further requests (they enter the batch as
 * places come free) and may cancel. A sample's tokens depend on its request, its index and its seed
 * only, never on its companions.
 */
public interface GenerationSession extends AutoCloseable {
  /**
   * Queues a request. One that cannot be answered is told to its listener at once, and gives a
   * handle that does nothing.
   */
  Handle submit(GenerationRequest request, GenerationListener listener);

  /** Runs until nothing is queued or running. May be called again after further submits. */
  void run();

  /**
   * Cancels whatever is left, and tells every listener.
   *
   * @throws RuntimeException what a listener threw, the first one's with the others' suppressed
   */
  @Override
  void close();

  /** The first of what listeners threw, the others suppressed. */
  static RuntimeException first(@Nullable RuntimeException first, RuntimeException next) {
    if (first == null) {
      return next;
    }
    if (first != next) {
      first.addSuppressed(next);
    }
    return first;
  }

  /** A request under way. */
  interface Handle {
    /**
     * Stops the samples that have not finished; they are reported with {@link
     * FinishReason#CANCELLED} and what they had generated. Idempotent.
     */
    void cancel();
  }
}
