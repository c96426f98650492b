package io.knack.practice.verify;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Says how good an answer is. Never throws for an answer, however odd: an answer that cannot be
 * read scores 0, and a verifier that cannot do its work reports a {@link Verification#fault}. Safe
 * for use by many threads.
 */
public interface Verifier extends AutoCloseable {

  Verification verify(Check check);

  default Verification verify(String problem, String answer, @Nullable String reference) {
    return verify(new Check(problem, answer, reference));
  }

  /** Checks without holding up the caller, where that pays; cancelling is allowed. */
  default CompletableFuture<Verification> submit(Check check) {
    return CompletableFuture.completedFuture(verify(check));
  }

  /** Many at once; verifications are in the order of the checks. */
  default List<Verification> verifyAll(List<Check> checks) {
    List<CompletableFuture<Verification>> answers = checks.stream().map(this::submit).toList();
    return answers.stream().map(CompletableFuture::join).toList();
  }

  /**
   * True when it asks a language model: solvers then gather checks and make them together, while
   * their own session is closed.
   */
  default boolean asksModel() {
    return false;
  }

  /** False when it only compares what the model itself says: such a pass proves nothing. */
  default boolean independent() {
    return true;
  }

  @Override
  default void close() {}
}
