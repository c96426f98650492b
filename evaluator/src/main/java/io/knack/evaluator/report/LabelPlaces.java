package io.knack.evaluator.report;

import java.util.ArrayList;
import java.util.List;

/**
 * Places for the labels of a scatter, beside their points and clear of each other and of all
 * points: the nearest free place wins, first come first served. Coordinates are the chart's.
 */
final class LabelPlaces {
  /** About the width of a character and the height of a line, in the page's small type. */
  private static final double CHARACTER = 6.6;

  private static final double LINE = 13;
  private static final double GAP = 11;

  private final double left;
  private final double right;
  private final double top;
  private final double bottom;
  private final List<Box> taken = new ArrayList<>();

  /** Labels stay within these bounds as far as there is room. */
  LabelPlaces(double left, double right, double top, double bottom) {
    this.left = left;
    this.right = right;
    this.top = top;
    this.bottom = bottom;
  }

  /** A rectangle; y grows downwards. */
  record Box(double left, double top, double right, double bottom) {
    boolean meets(Box other) {
      return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }
  }

  /**
   * Where a text begins or ends.
   *
   * @param y of its base line
   * @param anchor {@code start} or {@code end}
   * @param far whether it needs a line to its point
   */
  record Place(double x, double y, String anchor, boolean far, Box box) {}

  /** Keeps labels off a point. */
  void keepClear(double x, double y, double radius) {
    taken.add(new Box(x - radius, y - radius, x + radius, y + radius));
  }

  /** The place of a point's label, which is taken from then on. */
  Place of(double x, double y, String text) {
    double width = CHARACTER * text.length();
    Place best = null;
    for (int step = 0; best == null && step < 24; step++) {
      // 0, 1 down, 1 up, 2 down, ...
      int lines = (step + 1) / 2;
      double shift = LINE * (step % 2 == 1 ? lines : -lines);
      for (boolean end : new boolean[] {false, true}) {
        Place place = place(x, y + 4 + shift, end, width, step > 2);
        if (best == null && fits(place.box())) {
          best = place;
        }
      }
    }
    Place chosen = best == null ? place(x, y - 7, x > right - width - GAP, width, false) : best;
    taken.add(chosen.box());
    return chosen;
  }

  private static Place place(double x, double y, boolean end, double width, boolean far) {
    double from = end ? x - GAP - width : x + GAP;
    return new Place(
        end ? x - GAP : x + GAP,
        y,
        end ? "end" : "start",
        far,
        new Box(from, y - LINE + 3, from + width, y + 3));
  }

  private boolean fits(Box box) {
    return box.left() >= left
        && box.right() <= right
        && box.top() >= top
        && box.bottom() <= bottom
        && taken.stream().noneMatch(box::meets);
  }
}
