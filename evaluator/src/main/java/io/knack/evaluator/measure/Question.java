package io.knack.evaluator.measure;

import io.knack.contracts.Example;
import io.knack.contracts.Message;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One problem as one side is asked it.
 *
 * @param arm as in {@link io.knack.contracts.Trial#arm}
 * @param fired whether a memory is applied
 * @param similarity of the problem to what was learnt: {@code S1} to {@code S5} where known
 * @param retrievalMicros booked for finding the memory
 */
public record Question(
    Example example,
    String arm,
    List<Message> messages,
    @Nullable String adapter,
    boolean fired,
    @Nullable String similarity,
    long retrievalMicros) {
  public Question {
    messages = List.copyOf(messages);
  }

  /** What the model would see: two questions alike here have one answer. */
  String asked() {
    return example.id() + "\n" + adapter + "\n" + messages;
  }
}
