package io.knack.evaluator.statistics;

import java.util.List;

/**
 * The same problems answered by a baseline and by a candidate, in the order in which they were
 * looked at.
 *
 * @param baselineCap no baseline cost is higher
 * @param candidateCap no candidate cost is higher
 */
public record PairedRows(List<Row> rows, double baselineCap, double candidateCap) {

  /**
   * @param difference candidate's answer less baseline's, each right (1) or wrong (0)
   */
  public record Row(double baselineCost, double candidateCost, int difference) {}

  public PairedRows {
    rows = List.copyOf(rows);
  }

  public int size() {
    return rows.size();
  }

  /** Of the answers, row by row. */
  public int[] differences() {
    return rows.stream().mapToInt(Row::difference).toArray();
  }
}
