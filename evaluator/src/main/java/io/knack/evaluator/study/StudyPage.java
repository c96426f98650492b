package io.knack.evaluator.study;

import io.knack.evaluator.report.Html;
import java.util.List;
import java.util.Locale;

/** The study's table and plot, as one self-contained page. */
public final class StudyPage {
  private static final int WIDTH = 640;
  private static final int HEIGHT = 340;

  private StudyPage() {}

  public static String render(Study.Result result) {
    Html html = new Html();
    html.open("html", "lang", "en").open("head");
    html.empty("meta", "charset", "utf-8").leaf("title", "Knack study").style().close();
    html.open("body").open("main").leaf("h1", "Methods, memories, similarity");
    long grid = result.settings().stream().filter(s -> !s.similarity().equals(Study.TRAP)).count();
    String correlation =
        result.pearsonR() == null || result.pearsonP() == null
            ? "no correlation can be given"
            : String.format(
                Locale.ROOT,
                "Pearson r of relative cost and accuracy %.2f, p = %.2g",
                result.pearsonR(),
                result.pearsonP());
    html.leaf(
        "p",
        result.fasterBy10Percent()
            + " of "
            + grid
            + " settings (S1 to S4) are at least 10% cheaper in the paper's unit; "
            + correlation
            + ".");
    html.open("div", "class", "card");
    scatter(html, result.settings());
    html.leaf("p", "Left is cheaper, up is more often right. One dot a setting.", "class", "soft");
    html.close().open("div", "class", "card").open("table").open("tr");
    for (String head : List.of("method", "memory", "similarity")) {
      html.leaf("th", head);
    }
    for (String head :
        List.of(
            "relative cost", "95% interval", "all-in", "accuracy", "change", "fired", "problems")) {
      html.leaf("th", head, "class", "n");
    }
    html.close();
    for (Study.Setting s : result.settings()) {
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
    html.close().close().close().close().close();
    return "<!doctype html>\n" + html.build() + "\n";
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
