package io.knack.llm.local;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which rows of a batch began with one prompt, so that attention reads its keys and values once for
 * all of them: "cascade" or "hydragen" attention (Juravsky et al., 2024). Whether a row is computed
 * so depends on its own request alone, never on its companions.
 */
final class SharedPrompts {
  /** No row shares anything. */
  static final SharedPrompts NONE = new SharedPrompts(List.of());

  /** Samples that a request asks for, at least, for its prompt to be read once for all of them. */
  private static final int SAMPLES = 4;

  /** Tokens of such a prompt, at least: for fewer, two passes cost more than they save. */
  private static final int TOKENS = 128;

  /**
   * @param places that all of the rows share
   * @param rows ascending
   */
  private record Block(int places, List<Integer> rows) {
    /** The first row if they lie behind one another, else -1. */
    int first() {
      int first = rows.get(0);
      return rows.get(rows.size() - 1) - first == rows.size() - 1 ? first : -1;
    }
  }

  private final List<Block> blocks;

  private SharedPrompts(List<Block> blocks) {
    this.blocks = blocks;
  }

  static SharedPrompts of(List<Row> rows, LocalModel model) {
    Map<Task, List<Integer>> sharing = new LinkedHashMap<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Task task = rows.get(i).task;
      if (task.request.samples() >= SAMPLES
          && task.prompt.size() >= TOKENS
          && model.sharesPrompts(task.prompt.size() + task.limit)) {
        sharing.computeIfAbsent(task, t -> new ArrayList<>()).add(i);
      } else {
        others.add(i);
      }
    }
    if (sharing.isEmpty()) {
      return NONE;
    }
    List<Block> blocks = new ArrayList<>();
    sharing.forEach((task, own) -> blocks.add(new Block(task.prompt.size(), own)));
    if (!others.isEmpty()) {
      blocks.add(new Block(0, others));
    }
    return new SharedPrompts(blocks);
  }

  /** The rows, block by block. */
  long[] order() {
    return blocks.stream()
        .flatMap(block -> block.rows().stream())
        .mapToLong(Integer::longValue)
        .toArray();
  }

  /**
   * What {@code attend_blocks} in kernels.py takes; empty when no row shares anything.
   *
   * @param capacity places of the cache
   */
  long[] blocks(List<Row> rows, int capacity) {
    long[] numbers = new long[5 * blocks.size()];
    int at = 0;
    int start = 0;
    for (Block block : blocks) {
      int longest = block.rows().stream().mapToInt(i -> rows.get(i).position() + 1).max().orElse(0);
      numbers[at++] = block.places();
      numbers[at++] = start;
      numbers[at++] = block.rows().size();
      numbers[at++] = block.first();
      numbers[at++] = Math.min(capacity, KvCache.step(longest));
      start += block.rows().size();
    }
    return numbers;
  }
}
