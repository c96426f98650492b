package io.knack.trainer;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.train.Compute;
import io.knack.llm.train.LoraLayout;
import io.knack.llm.train.MemoryPlan;
import java.util.List;

/**
 * How many rows a micro-batch has: as planned, or where the plan says {@code auto} the fastest that
 * fits the device's memory.
 *
 * @param rows at most, but for a single longer sequence
 */
record MicroRows(int rows, MemoryPlan memory) {
  /** More rows make no faster products on a core, only more activations. */
  private static final int FASTEST_ON_CPU = 1024;

  /** Many adapters take memory themselves; a twelfth of the speed buys half the activations. */
  private static final int MANY_ON_CPU = 384;

  private static final int FASTEST_ON_GPU = 8192;
  private static final int LEAST = 64;

  /** Of what is free, how much may be taken: other processes live too. */
  private static final double SHARE = 0.9;

  /**
   * @param available bytes
   * @throws PlanException when the training does not fit, with what would
   */
  static MicroRows choose(
      TrainPlan plan,
      ModelConfig shape,
      Compute compute,
      LoraLayout layout,
      List<AdapterTask> tasks,
      long available) {
    int longest =
        tasks.stream()
            .flatMap(
                t -> java.util.stream.Stream.concat(t.examples().stream(), t.validation().stream()))
            .mapToInt(s -> s.length())
            .max()
            .orElse(LEAST);
    long limit = (long) (SHARE * available);
    int rows = plan.fixedMicroTokens();
    boolean fixed = rows > 0;
    if (!fixed) {
      rows =
          !compute.device().equals("cpu")
              ? FASTEST_ON_GPU
              : tasks.size() > 1 ? MANY_ON_CPU : FASTEST_ON_CPU;
    }
    while (true) {
      MemoryPlan memory = memory(plan, shape, compute, layout, tasks.size(), rows, longest);
      if (memory.total() <= limit) {
        return new MicroRows(rows, memory);
      }
      if (fixed || rows <= Math.max(LEAST, longest)) {
        throw new PlanException(refusal(plan, compute, tasks, memory, longest, available));
      }
      rows /= 2;
    }
  }

  private static MemoryPlan memory(
      TrainPlan plan,
      ModelConfig shape,
      Compute compute,
      LoraLayout layout,
      int adapters,
      int rows,
      int longest) {
    return MemoryPlan.of(
        shape,
        compute,
        layout,
        new MemoryPlan.Load(
            adapters,
            Math.max(rows, longest),
            longest,
            plan.dropout() > 0,
            plan.activationCheckpointing()));
  }

  private static String refusal(
      TrainPlan plan,
      Compute compute,
      List<AdapterTask> tasks,
      MemoryPlan memory,
      int longest,
      long available) {
    StringBuilder words = new StringBuilder();
    words
        .append("the training does not fit into the memory of ")
        .append(compute.device())
        .append(": ")
        .append(memory.words())
        .append(", of ")
        .append(MemoryPlan.megabytes(available))
        .append(" free. ");
    if (memory.activations() > memory.base() + memory.adapters()) {
      if (plan.fixedMicroTokens() > 0) {
        words.append("Set micro_tokens to auto. ");
      }
      if (!plan.activationCheckpointing()) {
        words.append("Set activation_checkpointing to true. ");
      }
      words.append("Lower max_length (the longest example has ").append(longest).append(" tokens)");
      if (compute.workers() > 1) {
        words
            .append(", or workers (")
            .append(compute.workers())
            .append(" passes at the same time)");
      }
    } else if (memory.adapters() > memory.base()) {
      words
          .append("Train fewer than ")
          .append(tasks.size())
          .append(" adapters at once, or lower rank");
    } else {
      words.append("Take a smaller base, or a device with more memory");
      if (plan.dtype().equals("float32")) {
        words.append(", or dtype bfloat16");
      }
    }
    return words.toString();
  }
}
