package io.knack.evaluator.study;

import io.knack.evaluator.report.Html;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The study's tables and plots, as one self-contained page, and as text. */
public final class StudyPage {
  private static final int WIDTH = 640;
  private static final int HEIGHT = 340;

  /** Relative costs at which a cell is as green or as red as can be. */
  private static final double FULL_SHADE = 0.75;

  private final Study.Result result;
  private final Html html = new Html();

  private StudyPage(Study.Result result) {
    this.result = result;
  }

  public static String render(Study.Result result) {
    return new StudyPage(result).page();
  }

  private String page() {
    html.open("html", "lang", "en").open("head");
    html.empty("meta", "charset", "utf-8");
    html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    html.leaf("title", "Knack study").style().close();
    html.open("body").open("main").leaf("h1", "Methods, memories, similarity");
    html.leaf("p", summary(result));
    html.leaf("h2", "Cost beside the baseline, in the paper's unit");
    html.leaf(
        "p",
        "Green is cheaper than without memory, red is dearer; below it the all-in cost, with prompt"
            + " tokens, checks and retrieval, and the change of accuracy in points. S1 is the same"
            + " question, S2 reworded, S3 other numbers, S4 another structure, S5 a trap: the looks"
            + " of a known problem, other knowledge. Units: answers sampled (best_of_n), nodes"
            + " expanded (tree_of_thoughts), rounds (self_refine), tokens (long_cot).",
        "class",
        "soft");
    heat();
    traps();
    firing();
    html.leaf("h2", "Cheaper and more often right?");
    html.open("div", "class", "card");
    scatter(html, result.settings());
    html.leaf(
        "p",
        "Left is cheaper, up is more often right. One dot a setting; grey dots are traps (S5).",
        "class",
        "soft");
    html.close();
    html.leaf("h2", "Every setting");
    table(result.settings());
    html.close().close().close();
    return "<!doctype html>\n" + html.build() + "\n";
  }

  private static String summary(Study.Result result) {
    long grid = result.settings().stream().filter(s -> !s.similarity().equals(Study.TRAP)).count();
    return result.fasterBy10Percent()
        + " of "
        + grid
        + " settings (S1 to S4) are at least 10% cheaper in the paper's unit; "
        + (result.pearsonR() == null || result.pearsonP() == null
            ? "no correlation can be given"
            : String.format(
                Locale.ROOT,
                "Pearson r of relative cost and accuracy %.2f, p = %.2g",
                result.pearsonR(),
                result.pearsonP()))
        + (result.trapAllIn() == null
            ? "."
            : String.format(
                Locale.ROOT,
                "; traps (S5) cost %+.1f%% all-in with triggers, retrieval counted%s.",
                100 * (result.trapAllIn() - 1),
                result.trapAllInWithoutTriggers() == null
                    ? ""
                    : String.format(
                        Locale.ROOT,
                        ", %+.1f%% without",
                        100 * (result.trapAllInWithoutTriggers() - 1))));
  }

  /** One row a method and memory, one column a level. */
  private void heat() {
    List<String> levels =
        result.settings().stream().map(Study.Setting::similarity).distinct().sorted().toList();
    html.open("div", "class", "card").open("table").open("tr");
    html.leaf("th", "method").leaf("th", "memory");
    levels.forEach(level -> html.leaf("th", level, "class", "n"));
    html.close();
    Map<String, Map<String, Study.Setting>> rows = new LinkedHashMap<>();
    for (Study.Setting s : result.settings()) {
      rows.computeIfAbsent(s.method() + "\n" + s.memory(), k -> new HashMap<>())
          .put(s.similarity(), s);
    }
    String before = "";
    for (Map.Entry<String, Map<String, Study.Setting>> row : rows.entrySet()) {
      String method = row.getKey().substring(0, row.getKey().indexOf('\n'));
      html.open("tr").leaf("td", method.equals(before) ? "" : method);
      html.leaf("td", row.getKey().substring(method.length() + 1));
      before = method;
      for (String level : levels) {
        Study.Setting s = row.getValue().get(level);
        if (s == null) {
          html.leaf("td", "\u2013", "class", "n");
        } else {
          html.open("td", "class", "n", "style", "background:" + shade(s.relativeCost()));
          html.leaf("b", percent(s.relativeCost()));
          html.leaf(
              "div",
              String.format(
                  Locale.ROOT,
                  "%s, %+.0f pt",
                  percent(s.relativeAllIn()),
                  100 * s.accuracyChange()),
              "class",
              "soft");
          html.close();
        }
      }
      html.close();
    }
    html.close().close();
  }

  /** A wash of green below 1, of red above. */
  private static String shade(double relative) {
    double strength = Math.min(1, Math.abs(1 - relative) / FULL_SHADE);
    return String.format(
        Locale.ROOT, "rgba(%s,%.2f)", relative <= 1 ? "46,160,100" : "208,70,60", 0.55 * strength);
  }

  private void traps() {
    if (result.withoutTriggers().isEmpty()) {
      return;
    }
    html.leaf("h2", "Traps without triggers");
    html.leaf(
        "p",
        "The same traps with the nearest memory forced upon each: what a trigger is for.",
        "class",
        "soft");
    table(result.withoutTriggers());
  }

  private void firing() {
    if (result.firing().isEmpty()) {
      return;
    }
    html.leaf("h2", "When triggers fire");
    html.open("div", "class", "card").open("table").open("tr").leaf("th", "similarity");
    List.of("problems", "fired", "rate", "95% bounds (one-sided each)")
        .forEach(head -> html.leaf("th", head, "class", "n"));
    html.close();
    for (Study.Firing f : result.firing()) {
      html.open("tr").leaf("td", f.similarity());
      for (String figure :
          List.of(
              String.valueOf(f.problems()),
              String.valueOf(f.fired()),
              tenths((double) f.fired() / Math.max(1, f.problems())),
              tenths(f.low()) + " to " + tenths(f.high()))) {
        html.leaf("td", figure, "class", "n");
      }
      html.close();
    }
    html.close().close();
  }

  private void table(List<Study.Setting> settings) {
    html.open("div", "class", "card").open("table").open("tr");
    for (String head : List.of("method", "memory", "similarity")) {
      html.leaf("th", head);
    }
    for (String head :
        List.of(
            "relative cost", "95% interval", "all-in", "accuracy", "change", "fired", "problems")) {
      html.leaf("th", head, "class", "n");
    }
    html.close();
    for (Study.Setting s : settings) {
      html.open("tr").leaf("td", s.method()).leaf("td", s.memory()).leaf("td", s.similarity());
      for (String figure :
          List.of(
              percent(s.relativeCost()),
              percent(s.relativeCostLow()) + " to " + percent(s.relativeCostHigh()),
              percent(s.relativeAllIn()),
              percent(s.accuracy()),
              String.format(Locale.ROOT, "%+.1f pt", 100 * s.accuracyChange()),
              percent(s.fireRate()),
              String.valueOf(s.problems()))) {
        html.leaf("td", figure, "class", "n");
      }
      html.close();
    }
    html.close().close();
  }

  /** The same for a terminal. */
  public static String text(Study.Result result) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%-17s %-11s %-5s %9s %15s %8s %9s %8s %7s%n",
            "method",
            "memory",
            "level",
            "cost",
            "95% interval",
            "all-in",
            "accuracy",
            "change",
            "fired"));
    for (Study.Setting s : result.settings()) {
      line(text, s, s.similarity());
    }
    for (Study.Setting s : result.withoutTriggers()) {
      line(text, s, s.similarity() + "*");
    }
    text.append("* without triggers\n");
    for (Study.Firing f : result.firing()) {
      text.append(
          String.format(
              Locale.ROOT,
              "triggers on %s: %d of %d fire, %s (%s to %s)%n",
              f.similarity(),
              f.fired(),
              f.problems(),
              tenths((double) f.fired() / Math.max(1, f.problems())),
              tenths(f.low()),
              tenths(f.high())));
    }
    return text.append(summary(result)).append('\n').toString();
  }

  private static void line(StringBuilder text, Study.Setting s, String level) {
    text.append(
        String.format(
            Locale.ROOT,
            "%-17s %-11s %-5s %9s %15s %8s %9s %7.1f%% %7s%n",
            s.method(),
            s.memory(),
            level,
            percent(s.relativeCost()),
            percent(s.relativeCostLow()) + "-" + percent(s.relativeCostHigh()),
            percent(s.relativeAllIn()),
            percent(s.accuracy()),
            100 * s.accuracyChange(),
            percent(s.fireRate())));
  }

  private static String tenths(double share) {
    return String.format(Locale.ROOT, "%.1f%%", 100 * share);
  }

  private static void scatter(Html html, List<Study.Setting> settings) {
    double most =
        Math.max(1.2, settings.stream().mapToDouble(Study.Setting::relativeCost).max().orElse(1));
    html.open(
        "svg",
        "viewBox",
        "0 0 " + WIDTH + " " + HEIGHT,
        "class",
        "chart",
        "role",
        "img",
        "aria-label",
        "relative cost against accuracy, one dot a setting");
    for (int i = 0; i <= 4; i++) {
      double y = 20 + (HEIGHT - 60) * (1 - i / 4.0);
      html.empty(
          "line",
          "x1",
          "50",
          "x2",
          String.valueOf(WIDTH - 10),
          "y1",
          Html.at(y),
          "y2",
          Html.at(y),
          "class",
          "grid");
      html.leaf("text", percent(i / 4.0), "x", "44", "y", Html.at(y + 4), "text-anchor", "end");
      double x = 50 + (WIDTH - 60) * i / 4.0;
      html.leaf(
          "text",
          percent(most * i / 4),
          "x",
          Html.at(x),
          "y",
          String.valueOf(HEIGHT - 18),
          "text-anchor",
          "middle");
    }
    for (Study.Setting s : settings) {
      html.open("g");
      html.leaf("title", s.method() + ", " + s.memory() + ", " + s.similarity());
      html.empty(
          "circle",
          "cx",
          Html.at(50 + (WIDTH - 60) * s.relativeCost() / most),
          "cy",
          Html.at(20 + (HEIGHT - 60) * (1 - s.accuracy())),
          "r",
          "5",
          "class",
          s.similarity().equals(Study.TRAP) ? "dot0" : "dot");
      html.close();
    }
    html.close();
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f%%", 100 * share);
  }
}
