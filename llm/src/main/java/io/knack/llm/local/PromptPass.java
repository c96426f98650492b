package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Prompts through the blocks: their keys and values into the cache, what follows their ends. Short
 * ones go through {@link VectorPrompts} where there are any.
 */
final class PromptPass {
  /** Prompt tokens that go through the blocks at once. */
  static final int CHUNK = 1024;

  private final LocalModel model;
  private final Kernels kernels;
  private final NDManager owner;
  private final @Nullable VectorPrompts vectors;

  /**
   * @param owner of the prompts' last logits
   */
  PromptPass(LocalModel model, NDManager owner) {
    this.model = model;
    this.kernels = model.kernels();
    this.owner = owner;
    VectorDecoder decoder = model.vectors();
    this.vectors = decoder == null ? null : new VectorPrompts(model, decoder);
  }

  /** Computes prompts into their rows and keeps each one's last logits. */
  void run(List<Task> tasks, List<Integer> places, KvCache cache) {
    List<Task> shortOnes = new ArrayList<>();
    List<Integer> placesOfShort = new ArrayList<>();
    List<Task> others = new ArrayList<>();
    List<Integer> placesOfOthers = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      boolean vector = vectors != null && VectorPrompts.suits(tasks.get(i));
      (vector ? shortOnes : others).add(tasks.get(i));
      (vector ? placesOfShort : placesOfOthers).add(places.get(i));
    }
    if (vectors != null && !shortOnes.isEmpty()) {
      vectors.run(shortOnes, placesOfShort, cache, owner);
    }
    int longest = others.stream().mapToInt(task -> task.prompt.size()).max().orElse(0);
    for (int from = 0; from < longest; from += CHUNK) {
      chunk(others, placesOfOthers, cache, from);
    }
  }

  /** One piece of every prompt that reaches so far; several prompts only when all are short. */
  private void chunk(List<Task> tasks, List<Integer> places, KvCache cache, int from) {
    int total = 0;
    for (Task task : tasks) {
      total += Math.max(0, Math.min(CHUNK, task.prompt.size() - from));
    }
    int n = model.padded(total);
    long[] table = new long[4 * n];
    long[] segments = new long[3 * tasks.size()];
    long[] last = new long[model.padded(tasks.size())];
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    boolean scored = false;
    int at = 0;
    for (int i = 0; i < tasks.size(); i++) {
      Task task = tasks.get(i);
      int count = Math.max(0, Math.min(CHUNK, task.prompt.size() - from));
      segments[3 * i] = places.get(i);
      segments[3 * i + 1] = from;
      segments[3 * i + 2] = count;
      for (int j = from; j < from + count; j++) {
        table[4 * at] = task.prompt.get(j);
        table[4 * at + 1] = j;
        table[4 * at + 2] = places.get(i);
        table[4 * at + 3] = j + 1 < task.prompt.size() ? task.prompt.get(j + 1) : 0;
        adapters.add(task.adapter);
        at++;
      }
      last[i] = Math.max(0, at - 1);
      scored |= task.scoresPrompt();
    }
    for (; at < n; at++) {
      table[4 * at + 2] = cache.scrap();
      adapters.add(null);
    }
    try (NDManager scope = owner.newSubManager()) {
      AdapterStack used = model.stack(adapters);
      NDArray[] result =
          kernels.inferAll(
              scope,
              "prefill",
              model.weights().list(),
              model.shape(),
              model.config().normEpsilon(),
              cache.tensors(),
              used.tensors(),
              used.mask(scope, adapters),
              scope.create(table, new Shape(n, 4)),
              segments,
              scope.create(last),
              scored);
      at = 0;
      float[] scores = scored ? result[1].toFloatArray() : new float[0];
      for (int i = 0; i < tasks.size(); i++) {
        Task task = tasks.get(i);
        int count = (int) segments[3 * i + 2];
        if (task.scoresPrompt() && count > 0) {
          keepScores(task, scores, at, from, count);
        }
        at += count;
        if (from + count == task.prompt.size() && count > 0) {
          if (task.logits != null) {
            task.logits.close();
          }
          task.logits = kernels.tensor(owner, "pick_rows", result[0], new long[] {i});
        }
      }
    }
  }

  private static void keepScores(Task task, float[] scores, int at, int from, int count) {
    List<@Nullable Float> kept = task.promptLogprobs;
    if (kept == null || from == 0) {
      kept = new ArrayList<>(Collections.singletonList(null));
      task.promptLogprobs = kept;
    }
    for (int j = 0; j < count && from + j + 1 < task.prompt.size(); j++) {
      kept.add(scores[at + j]);
    }
  }
}
