package io.knack.practice.solve;

import io.knack.contracts.Message;
import io.knack.practice.verify.Verifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One problem to be solved.
 *
 * @param id unique among the tasks of one call
 * @param problem the bare problem, for the verifier
 * @param messages what the model is asked, memory included: as {@link
 *     io.knack.practice.route.MemoryPrompt} or {@link io.knack.practice.route.Route} gives them
 * @param tools tool definitions, a JSON array as text
 * @param adapter name of a loaded adapter; null for the base model
 * @param reference the known right answer, for the verifier
 * @param verifier says when to stop
 * @param seed sample i draws from (seed, i): arms that are compared use the same seed
 * @param retrievalMicros what finding the memory took; booked to the task
 */
public record SolveTask(
    String id,
    String problem,
    List<Message> messages,
    @Nullable String tools,
    @Nullable String adapter,
    @Nullable String reference,
    Verifier verifier,
    long seed,
    long retrievalMicros) {
  public SolveTask {
    messages = List.copyOf(messages);
  }
}
