package io.knack.llm;

import io.knack.contracts.ToolCall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One generated continuation.
 *
 * @param index among the samples of its request, from 0
 * @param ids the generated token ids, without the stop token; empty where an endpoint gives none
 * @param text without the stop string
 * @param logprobs natural logarithms, one per id; null unless asked for
 * @param completionTokens generated, the stop token included: what is paid for
 * @param toolCalls what an endpoint's model asks for beside its text; empty for a model in this
 *     process, whose calls stand in the text as its template writes them
 */
public record Sample(
    int index,
    List<Integer> ids,
    String text,
    @Nullable List<Float> logprobs,
    FinishReason finishReason,
    int completionTokens,
    List<ToolCall> toolCalls) {
  public Sample {
    toolCalls = List.copyOf(toolCalls);
  }

  /** A sample without tool calls. */
  public Sample(
      int index,
      List<Integer> ids,
      String text,
      @Nullable List<Float> logprobs,
      FinishReason finishReason,
      int completionTokens) {
    this(index, ids, text, logprobs, finishReason, completionTokens, List.of());
  }
}
