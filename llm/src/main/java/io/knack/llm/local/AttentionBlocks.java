package io.knack.llm.local;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How attention takes the rows of a batch for one token each. Rows that began with one prompt look
 * at its keys and values together, once: "cascade" or "hydragen" attention (Juravsky et al., 2024).
 * Whether a row is computed so depends on its own request alone, never on its companions. All
 * others are cut into runs of neighbours, each of which looks as far as its longest row: where
 * short rows stand beside long ones, several short looks cost less than one long one for all.
 */
final class AttentionBlocks {
  /** What one more run costs, as bytes of keys and values that are read in the same time. */
  private static final long RUN = 1 << 20;

  /**
   * @param places of the prompt that all rows share; 0 for rows that share nothing
   * @param rows ascending
   */
  private record Block(int places, List<Integer> rows) {
    /** The first row if they lie behind one another, else -1. */
    int first() {
      int first = rows.get(0);
      return rows.get(rows.size() - 1) - first == rows.size() - 1 ? first : -1;
    }
  }

  private final List<Block> sharing;
  private final List<Integer> others;
  private final long placeBytes;
  private int[] looks = new int[0];
  private long[] numbers = new long[0];

  private AttentionBlocks(List<Block> sharing, List<Integer> others, long placeBytes) {
    this.sharing = sharing;
    this.others = others;
    this.placeBytes = placeBytes;
  }

  static AttentionBlocks of(List<Row> rows, LocalModel model) {
    Map<Task, List<Integer>> sharing = new LinkedHashMap<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Task task = rows.get(i).task;
      if (task.sharesPrompt() && model.sharesPrompts(task.prompt.size() + task.limit)) {
        sharing.computeIfAbsent(task, t -> new ArrayList<>()).add(i);
      } else {
        others.add(i);
      }
    }
    List<Block> blocks = new ArrayList<>();
    sharing.forEach((task, own) -> blocks.add(new Block(task.prompt.size(), own)));
    long bytes = KvCache.bytesPerToken(model.config(), model.dtype()) / model.config().layers();
    return new AttentionBlocks(blocks, others, model.kernels().device().isGpu() ? 0 : bytes);
  }

  /** The rows, block by block. */
  long[] order() {
    return IntStream.concat(
            sharing.stream().flatMap(block -> block.rows().stream()).mapToInt(i -> i),
            others.stream().mapToInt(i -> i))
        .asLongStream()
        .toArray();
  }

  /** What {@code attend_blocks} in kernels.py takes; empty when all rows are one run. */
  long[] blocks(List<Row> rows) {
    int[] now = rows.stream().mapToInt(row -> KvCache.step(row.position() + 1)).toArray();
    if (!Arrays.equals(now, looks)) {
      looks = now;
      numbers = numbers();
    }
    return numbers;
  }

  private long[] numbers() {
    List<Block> blocks = new ArrayList<>(sharing);
    int[] ends = runs(others.stream().mapToInt(row -> looks[row]).toArray(), placeBytes);
    for (int i = 0; i < ends.length; i++) {
      blocks.add(new Block(0, others.subList(i == 0 ? 0 : ends[i - 1], ends[i])));
    }
    if (blocks.size() == 1 && sharing.isEmpty()) {
      return new long[0];
    }
    long[] result = new long[5 * blocks.size()];
    int at = 0;
    int start = 0;
    for (Block block : blocks) {
      result[at++] = block.places();
      result[at++] = start;
      result[at++] = block.rows().size();
      result[at++] = block.first();
      result[at++] = block.rows().stream().mapToInt(row -> looks[row]).max().orElse(0);
      start += block.rows().size();
    }
    return result;
  }

  /**
   * The cheapest cut of rows into runs, where a run costs {@link #RUN} and what its rows read when
   * each looks as far as the longest.
   *
   * @param looks places that each row must look at
   * @param placeBytes of keys and values at one place in one layer
   * @return the end of each run, exclusive
   */
  static int[] runs(int[] looks, long placeBytes) {
    int n = looks.length;
    long[] cost = new long[n + 1];
    int[] begin = new int[n + 1];
    for (int end = 1; end <= n; end++) {
      cost[end] = Long.MAX_VALUE;
      int longest = 0;
      for (int start = end - 1; start >= 0; start--) {
        longest = Math.max(longest, looks[start]);
        long whole = cost[start] + RUN + placeBytes * longest * (end - start);
        if (whole < cost[end]) {
          cost[end] = whole;
          begin[end] = start;
        }
      }
    }
    List<Integer> ends = new ArrayList<>();
    for (int end = n; end > 0; end = begin[end]) {
      ends.add(0, end);
    }
    return ends.stream().mapToInt(i -> i).toArray();
  }
}
