package io.knack.llm.train;

import java.util.List;

/** Where an adapter's matrices lie in its flat row. */
@SuppressWarnings("ArrayRecordComponent")
public record LoraLayout(List<List<long[]>> specs, float[] scales) {}
