package io.knack.evaluator.report;

import static java.util.stream.Collectors.joining;

import io.knack.contracts.Interval;
import io.knack.contracts.Report.Comparison;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The report's charts, as SVG in the page's own colours. */
public final class Charts {
  private static final int WIDTH = 640;
  private static final int LEFT = 190;
  private static final int ROW = 30;

  private Charts() {}

  /** Cost against accuracy: left is cheaper, up is more often right. Relative to the baseline. */
  public static void costAgainstAccuracy(Html html, List<Comparison> arms) {
    int height = 320;
    int left = 60;
    int right = WIDTH - 20;
    int top = 20;
    int bottom = height - 45;
    double widest = 1.1;
    double least = 1;
    for (Comparison c : arms) {
      widest = Math.max(widest, Math.min(2, relative(c) * 1.05));
      least = Math.min(least, Math.min(c.baseline().accuracy(), c.candidate().accuracy()));
    }
    double most = widest;
    double floor = Math.max(0, Math.floor((least - 0.05) * 10) / 10);
    html.open(
        "svg",
        "viewBox",
        "0 0 " + WIDTH + " " + height,
        "role",
        "img",
        "class",
        "chart",
        "aria-label",
        "cost relative to the baseline against accuracy, per arm");
    for (int i = 0; i <= 5; i++) {
      double y = bottom - (bottom - top) * i / 5.0;
      line(html, left, y, right, y, "grid");
      label(html, left - 8, y + 4, percent(floor + (1 - floor) * i / 5.0), "end");
    }
    for (int quarter = 0; quarter / 4.0 <= most; quarter++) {
      double x = left + (right - left) * quarter / 4.0 / most;
      label(html, x, bottom + 18, percent(quarter / 4.0), "middle");
    }
    label(html, (left + right) / 2.0, height - 8, "cost per problem, baseline = 100%", "middle");
    double one = left + (right - left) / most;
    line(html, one, top, one, bottom, "base");
    // Arms that fall on one point share a label.
    Map<String, List<Comparison>> points = new LinkedHashMap<>();
    LabelPlaces places = new LabelPlaces(left, right, 0, bottom);
    for (Comparison c : arms) {
      double x = left + (right - left) * Math.min(most, relative(c)) / most;
      double y = bottom - (bottom - top) * (c.candidate().accuracy() - floor) / (1 - floor);
      double before = bottom - (bottom - top) * (c.baseline().accuracy() - floor) / (1 - floor);
      line(html, one, before, x, y, "link");
      html.open("g").leaf("title", describe(c));
      dot(html, one, before, 4, "dot0");
      dot(html, x, y, 7, "dot");
      html.close();
      places.keepClear(one, before, 4);
      places.keepClear(x, y, 7);
      points
          .computeIfAbsent(Math.round(x / 4) + "," + Math.round(y / 4), p -> new ArrayList<>())
          .add(c);
    }
    points.forEach(
        (point, there) -> {
          Comparison c = there.get(0);
          double x = left + (right - left) * Math.min(most, relative(c)) / most;
          double y = bottom - (bottom - top) * (c.candidate().accuracy() - floor) / (1 - floor);
          String text = there.stream().map(Comparison::arm).distinct().collect(joining(", "));
          LabelPlaces.Place place = places.of(x, y, text);
          if (place.far()) {
            line(html, x, y, place.x(), place.y() - 4, "link");
          }
          label(html, place.x(), place.y(), text, place.anchor());
        });
    html.close();
  }

  /** Cost before and after, row by row, with the saving's interval. */
  public static void beforeAndAfter(
      Html html, List<Comparison> rows, Function<Comparison, String> labels) {
    int pitch = ROW + 14;
    int height = 20 + rows.size() * pitch;
    double most =
        rows.stream()
            .mapToDouble(c -> Math.max(c.baseline().cost(), c.candidate().cost()))
            .max()
            .orElse(1);
    html.open(
        "svg",
        "viewBox",
        "0 0 " + WIDTH + " " + height,
        "role",
        "img",
        "class",
        "chart",
        "aria-label",
        "cost per problem before and after");
    double scale = (WIDTH - LEFT - 110) / (most <= 0 ? 1 : most);
    int y = 10;
    for (Comparison c : rows) {
      html.open("g").leaf("title", describe(c));
      label(html, LEFT - 10, y + 18, shorten(labels.apply(c)), "end");
      bar(html, LEFT, y, c.baseline().cost() * scale, "bar0");
      bar(html, LEFT, y + 14, c.candidate().cost() * scale, "bar");
      double low = Math.max(0, c.baseline().cost() * (1 - c.saving().high()) * scale);
      double high = c.baseline().cost() * (1 - c.saving().low()) * scale;
      line(html, LEFT + low, y + 20, LEFT + Math.min(high, WIDTH - LEFT - 8.0), y + 20, "whisker");
      double end = LEFT + Math.max(c.baseline().cost(), c.candidate().cost()) * scale;
      label(html, end + 8, y + 10, signed(-c.saving().estimate()), "start");
      html.close();
      y += pitch;
    }
    html.close();
  }

  /** Savings with their intervals around zero. */
  public static void savings(
      Html html, List<Comparison> rows, Function<Comparison, String> labels) {
    int height = 40 + rows.size() * ROW;
    html.open(
        "svg",
        "viewBox",
        "0 0 " + WIDTH + " " + height,
        "role",
        "img",
        "class",
        "chart",
        "aria-label",
        "saving with its interval");
    double scale = (WIDTH - LEFT - 40) / 2.0;
    double zero = LEFT + 10 + scale;
    line(html, zero, 4, zero, height - 24.0, "base");
    for (double tick : new double[] {-1, -0.5, 0, 0.5, 1}) {
      label(html, zero + tick * scale, height - 8.0, percent(tick), "middle");
    }
    int y = 18;
    for (Comparison c : rows) {
      Interval s = c.saving();
      html.open("g").leaf("title", describe(c));
      label(html, LEFT - 10, y + 4, shorten(labels.apply(c)), "end");
      line(html, zero + clamp(s.low()) * scale, y, zero + clamp(s.high()) * scale, y, "whisker");
      dot(html, zero + clamp(s.estimate()) * scale, y, 6, "dot");
      html.close();
      y += ROW;
    }
    html.close();
  }

  static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f%%", 100 * share);
  }

  static String signed(double share) {
    return String.format(Locale.ROOT, "%+.0f%%", 100 * share);
  }

  private static double relative(Comparison c) {
    return c.baseline().cost() <= 0 ? 1 : c.candidate().cost() / c.baseline().cost();
  }

  private static String describe(Comparison c) {
    return String.format(
        Locale.ROOT,
        "%s, %s %s: saves %.1f%% (%.1f to %.1f), accuracy %.1f%% to %.1f%%, %d problems",
        c.arm(),
        c.dimension(),
        c.value(),
        100 * c.saving().estimate(),
        100 * c.saving().low(),
        100 * c.saving().high(),
        100 * c.baseline().accuracy(),
        100 * c.candidate().accuracy(),
        c.problems());
  }

  private static double clamp(double share) {
    return Math.max(-1, Math.min(1, share));
  }

  private static String shorten(String text) {
    int length = text.codePointCount(0, text.length());
    return length <= 28 ? text : text.substring(0, text.offsetByCodePoints(0, 27)) + "\u2026";
  }

  private static void dot(Html html, double x, double y, int radius, String kind) {
    html.empty(
        "circle", "cx", Html.at(x), "cy", Html.at(y), "r", String.valueOf(radius), "class", kind);
  }

  private static void bar(Html html, double x, double y, double width, String kind) {
    html.empty(
        "rect",
        "x",
        Html.at(x),
        "y",
        Html.at(y),
        "width",
        Html.at(Math.max(1, width)),
        "height",
        "12",
        "rx",
        "2",
        "class",
        kind);
  }

  private static void line(Html html, double x1, double y1, double x2, double y2, String kind) {
    html.empty(
        "line",
        "x1",
        Html.at(x1),
        "y1",
        Html.at(y1),
        "x2",
        Html.at(x2),
        "y2",
        Html.at(y2),
        "class",
        kind);
  }

  private static void label(Html html, double x, double y, String text, String anchor) {
    html.leaf("text", text, "x", Html.at(x), "y", Html.at(y), "text-anchor", anchor);
  }
}
