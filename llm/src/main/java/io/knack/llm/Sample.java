package io.knack.llm;

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
 */
public record Sample(
    int index,
    List<Integer> ids,
    String text,
    @Nullable List<Float> logprobs,
    FinishReason finishReason,
    int completionTokens) {}
