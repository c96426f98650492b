package io.knack.llm;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All samples of one request.
 *
 * @param promptIds empty where an endpoint gives none
 * @param promptLogprobs one per prompt id, the first null; null unless asked for
 */
public record Completion(
    List<Integer> promptIds,
    @Nullable List<@Nullable Float> promptLogprobs,
    List<Sample> samples,
    TokenUsage usage) {}
