package io.knack.llm.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Sequences packed into T rows. Rows of one adapter are contiguous; inside them, sequences of like
 * length share a rectangle, padded at the right to its longest. Attention is causal within a
 * sequence, so padding is never seen by what counts, and no sequence sees another.
 *
 * @param rectangles start, sequences, length, of each
 * @param segments adapter, start, rows, of each
 * @param rows whose next token counts in the loss
 * @param sequences how many
 * @param tokens real ones, without padding
 */
@SuppressWarnings("ArrayRecordComponent")
public record MicroBatch(
    long[] ids,
    long[] positions,
    long[] rectangles,
    long[] segments,
    long[] rows,
    long[] targets,
    float[] weights,
    int sequences,
    int tokens) {

  /**
   * A rectangle costs about as much as this many padded tokens: each is one more call of the
   * attention kernel per layer and direction.
   */
  private static final int RECTANGLE_COST = 24;

  /** Packs sequences; the result depends on the sequences and their order only. */
  public static MicroBatch pack(List<TokenSequence> sequences) {
    if (sequences.isEmpty()) {
      throw new IllegalArgumentException("an empty micro-batch");
    }
    List<TokenSequence> sorted = new ArrayList<>(sequences);
    sorted.sort(
        Comparator.comparingInt(TokenSequence::adapter).thenComparingInt(TokenSequence::length));
    List<Long> rectangles = new ArrayList<>();
    List<Long> segments = new ArrayList<>();
    List<TokenSequence> order = new ArrayList<>();
    List<Integer> padded = new ArrayList<>();
    int total = 0;
    int from = 0;
    while (from < sorted.size()) {
      int adapter = sorted.get(from).adapter();
      int to = from;
      while (to < sorted.size() && sorted.get(to).adapter() == adapter) {
        to++;
      }
      int start = total;
      for (int end : cuts(sorted, from, to)) {
        int length = sorted.get(end - 1).length();
        rectangles.add((long) total);
        rectangles.add((long) (end - from));
        rectangles.add((long) length);
        for (; from < end; from++) {
          order.add(sorted.get(from));
          padded.add(length);
          total += length;
        }
      }
      segments.add((long) adapter);
      segments.add((long) start);
      segments.add((long) (total - start));
    }
    return fill(order, padded, total, longs(rectangles), longs(segments));
  }

  private static MicroBatch fill(
      List<TokenSequence> order,
      List<Integer> padded,
      int total,
      long[] rectangles,
      long[] segments) {
    long[] ids = new long[total];
    long[] positions = new long[total];
    int counted = 0;
    int tokens = 0;
    for (TokenSequence s : order) {
      tokens += s.length();
      for (int i = 1; i < s.length(); i++) {
        counted += s.weights()[i] > 0 ? 1 : 0;
      }
    }
    long[] rows = new long[counted];
    long[] targets = new long[counted];
    float[] weights = new float[counted];
    int row = 0;
    int at = 0;
    for (int n = 0; n < order.size(); n++) {
      TokenSequence s = order.get(n);
      for (int i = 0; i < padded.get(n); i++) {
        positions[row + i] = i;
        ids[row + i] = i < s.length() ? s.ids()[i] : 0;
        if (i > 0 && i < s.length() && s.weights()[i] > 0) {
          rows[at] = row + i - 1L;
          targets[at] = s.ids()[i];
          weights[at++] = s.weights()[i];
        }
      }
      row += padded.get(n);
    }
    return new MicroBatch(
        ids, positions, rectangles, segments, rows, targets, weights, order.size(), tokens);
  }

  /**
   * Ends of the rectangles that make padding plus {@link #RECTANGLE_COST} each least, for sequences
   * {@code from} to {@code to} in ascending length. Dynamic programming, O(n^2).
   */
  private static List<Integer> cuts(List<TokenSequence> sorted, int from, int to) {
    int n = to - from;
    long[] cost = new long[n + 1];
    int[] previous = new int[n + 1];
    for (int end = 1; end <= n; end++) {
      cost[end] = Long.MAX_VALUE;
      long longest = sorted.get(from + end - 1).length();
      long padding = 0;
      for (int start = end - 1; start >= 0; start--) {
        padding += longest - sorted.get(from + start).length();
        long total = cost[start] + padding + RECTANGLE_COST;
        if (total < cost[end]) {
          cost[end] = total;
          previous[end] = start;
        }
      }
    }
    List<Integer> ends = new ArrayList<>();
    for (int end = n; end > 0; end = previous[end]) {
      ends.add(0, from + end);
    }
    return ends;
  }

  private static long[] longs(List<Long> values) {
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  /** Rows, padding included. */
  public int size() {
    return ids.length;
  }

  /** The adapter of each row that counts. */
  public int[] adapters() {
    int[] adapters = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      int s = 0;
      while (rows[i] >= segments[s + 1] + segments[s + 2]) {
        s += 3;
      }
      adapters[i] = (int) segments[s];
    }
    return adapters;
  }

  /** The same with each weight times {@code scale[adapter]}. */
  public MicroBatch scaled(double[] scale) {
    int[] adapters = adapters();
    float[] scaled = new float[weights.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = (float) (weights[i] * scale[adapters[i]]);
    }
    return new MicroBatch(
        ids, positions, rectangles, segments, rows, targets, scaled, sequences, tokens);
  }
}
