package io.knack.evaluator.report;

import io.knack.contracts.Interval;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Report.ArmReport;
import io.knack.contracts.Report.Comparison;
import io.knack.contracts.Report.EntryReport;
import io.knack.contracts.Report.SideBySide;
import io.knack.contracts.Verdict;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Renders a {@link Report} as one self-contained page. */
public final class ReportPage {
  private final Report report;
  private final Html html = new Html();
  private final Map<String, String> titles = new HashMap<>();

  private ReportPage(Report report) {
    this.report = report;
    report.entries().forEach(entry -> titles.put(entry.clusterId().value(), entry.title()));
  }

  public static String render(Report report) {
    return new ReportPage(report).page();
  }

  private String page() {
    html.open("html", "lang", "en").open("head");
    html.empty("meta", "charset", "utf-8");
    html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    html.leaf("title", "Knack report " + report.run()).style().close();
    html.open("body").open("main");
    html.leaf("h1", "What practice saved");
    soft(
        "Run "
            + report.run()
            + ", model "
            + report.baseModel()
            + ", method "
            + report.method()
            + ". Costs are all-in, in the price book's currency: memory's prompt tokens, checks and"
            + " retrieval are counted.");
    verdict();
    plainly();
    tiles();
    arms();
    clusters();
    similarity();
    returns();
    examples();
    refused();
    method();
    html.close().close().close();
    return "<!doctype html>\n" + html.build() + "\n";
  }

  private void verdict() {
    String kind = word(report.verdict());
    html.open("div", "class", "verdict " + kind);
    html.leaf("b", kind.substring(0, 1).toUpperCase(Locale.ROOT) + kind.substring(1));
    html.leaf("p", report.verdict().rule());
    if (report.verdict() instanceof Verdict.Insufficient insufficient) {
      soft(
          "About "
              + insufficient.problemsNeeded()
              + " problems in all would settle it. Accuracy decides how long it takes: the number"
              + " grows with the share of problems that one side alone gets right.");
    }
    html.close();
  }

  /** One paragraph for who reads no further. */
  private void plainly() {
    long chosen = report.entries().stream().filter(ReportPage::served).count();
    String saved =
        gated("all")
            .findFirst()
            .map(
                all ->
                    String.format(
                        Locale.ROOT,
                        " On %d later problems that nothing was learnt from, cost per problem fell"
                            + " by %.0f%% (at least %.0f%%), and %.1f%% were answered rightly where"
                            + " it had been %.1f%%.",
                        all.problems(),
                        100 * all.saving().estimate(),
                        100 * all.saving().low(),
                        100 * all.candidate().accuracy(),
                        100 * all.baseline().accuracy()))
            .orElse("");
    html.leaf(
        "p",
        "Of "
            + report.entries().size()
            + " recurring problems that something was learnt about, "
            + chosen
            + (report.verdict() instanceof Verdict.Promote ? " get" : " would get")
            + " a memory; for the others none was worth its cost."
            + saved);
  }

  private static boolean served(EntryReport entry) {
    return !(entry.verdict() instanceof Verdict.Hold) && !entry.memory().equals("nothing");
  }

  private void tiles() {
    html.open("div", "class", "tiles");
    gated("all")
        .findFirst()
        .ifPresent(
            all -> {
              tile(
                  Charts.percent(all.saving().estimate()),
                  "saved per problem, " + interval(all.saving()));
              tile(
                  String.format(Locale.ROOT, "%+.1f pt", 100 * all.accuracyChange().estimate()),
                  "accuracy, " + interval(all.accuracyChange()));
              tile(
                  arrow("%.1f", all.baseline().units(), all.candidate().units()),
                  report.unit() + " per problem");
            });
    tile(money(report.returns().savedPerMonth()), "saved per month, net");
    tile(
        Optional.ofNullable(report.returns().paybackDays())
            .map(days -> String.format(Locale.ROOT, "%.1f d", days))
            .orElse("\u2013"),
        "until the night has paid for itself");
    tile(
        report.counts().gated() + " of " + report.counts().available(),
        "sealed problems looked at; " + report.counts().solved() + " solved in all");
    html.close();
  }

  private void arms() {
    List<Comparison> arms =
        report.comparisons().stream().filter(c -> c.dimension().equals("all")).toList();
    if (arms.isEmpty()) {
      return;
    }
    html.leaf("h2", "Budget against accuracy");
    html.open("div", "class", "card");
    Charts.costAgainstAccuracy(
        html,
        Stream.concat(arms.stream().filter(c -> c.phase().equals("screening")), gated("all"))
            .toList());
    soft(
        "Small dots: the baseline on the same problems. Arms were screened on the validation split;"
            + " the manifest is what the sealed holdout gated.");
    html.close();
    html.open("div", "class", "card").open("table");
    heads(
        List.of("arm", "on"),
        List.of(
            "problems",
            "fired",
            "accuracy",
            report.unit(),
            "prompt tok.",
            "completion tok.",
            "saving, all-in",
            "95% interval"));
    for (Comparison c : arms) {
      html.open("tr").leaf("td", c.arm()).leaf("td", c.phase());
      number(String.valueOf(c.problems()));
      number(Charts.percent((double) c.fired() / c.problems()));
      number(arrow("%.0f%%", 100 * c.baseline().accuracy(), 100 * c.candidate().accuracy()));
      number(arrow("%.1f", c.baseline().units(), c.candidate().units()));
      number(arrow("%.0f", c.baseline().promptTokens(), c.candidate().promptTokens()));
      number(arrow("%.0f", c.baseline().completionTokens(), c.candidate().completionTokens()));
      number(String.format(Locale.ROOT, "%.1f%%", 100 * c.saving().estimate()));
      number(interval(c.saving()));
      html.close();
    }
    html.close().close();
  }

  private void clusters() {
    if (report.entries().isEmpty()) {
      return;
    }
    html.leaf("h2", "Problem by problem");
    List<Comparison> rows = gated("cluster").toList();
    if (!rows.isEmpty()) {
      html.open("div", "class", "card");
      Charts.beforeAndAfter(html, rows, c -> titles.getOrDefault(c.value(), c.value()));
      soft(
          "Grey: cost per problem before. Colour: after, on the sealed holdout, with the 95%"
              + " interval.");
      html.close();
    }
    List<EntryReport> byWorth =
        report.entries().stream()
            .sorted(Comparator.comparingDouble(EntryReport::expectedSaving).reversed())
            .toList();
    entries(byWorth.stream().filter(ReportPage::served).toList());
    List<EntryReport> without = byWorth.stream().filter(entry -> !served(entry)).toList();
    if (!without.isEmpty()) {
      html.open("details");
      html.leaf(
          "summary", "Recurring problems that get no memory: " + without.size() + ", and why");
      entries(without);
      html.close();
    }
  }

  private void entries(List<EntryReport> entries) {
    if (entries.isEmpty()) {
      return;
    }
    html.open("div", "class", "card").open("table");
    heads(
        List.of("problem", "memory", "fires"),
        List.of("problems / month", "net saving / month", "trigger keeps", "misfires"));
    for (EntryReport entry : entries) {
      html.open("tr").open("td").text(entry.title());
      html.open("details").leaf("summary", "arms tried on validation");
      for (ArmReport arm : entry.arms()) {
        html.leaf(
            "div",
            String.format(
                Locale.ROOT,
                "%s: saves %.0f%%, accuracy %+.0f pt on %d problems, fired on %d%s",
                arm.arm(),
                100 * arm.saving(),
                100 * arm.accuracyChange(),
                arm.problems(),
                arm.fired(),
                arm.reason() == null ? "" : "; " + arm.reason()));
      }
      html.close().close();
      html.leaf("td", entry.memory()).open("td");
      if (served(entry)) {
        html.text(fires(entry.trigger()));
      } else {
        html.leaf("span", word(entry.verdict()), "class", colour(entry.verdict()));
        html.leaf("div", entry.verdict().rule(), "class", "soft");
      }
      html.close();
      number(String.format(Locale.ROOT, "%.0f", entry.problemsPerMonth()));
      number(money(entry.expectedSaving()));
      number(Charts.percent(entry.triggerRecall()));
      number(String.format(Locale.ROOT, "%.1f%%", 100 * entry.triggerMisfires()));
      html.close();
    }
    html.close().close();
  }

  private static String fires(Manifest.@Nullable Trigger trigger) {
    if (trigger == null) {
      return "as before";
    }
    return trigger.keys().isEmpty()
        ? String.format(Locale.ROOT, "on likeness, %.2f or more", trigger.floor())
        : "on the words " + String.join(", ", trigger.keys());
  }

  private void similarity() {
    List<Comparison> rows = gated("similarity").toList();
    if (rows.isEmpty()) {
      return;
    }
    html.leaf("h2", "By similarity to what was learnt");
    html.open("div", "class", "card");
    Charts.savings(html, rows, Comparison::value);
    soft(
        "S1 is the same question again; \"new\" is any other problem of the same clusters. Saving,"
            + " all-in, with the 95% interval.");
    html.close();
  }

  private void returns() {
    html.leaf("h2", "Return on investment");
    html.open("div", "class", "card").open("table");
    Interval bounds = report.returns().savedPerMonthBounds();
    row(
        "saved per month, net of carrying costs",
        money(bounds.estimate())
            + " ("
            + money(bounds.low())
            + " to "
            + money(bounds.high())
            + ")");
    report.returns().nightCosts().forEach((what, cost) -> row("tonight, " + what, money(cost)));
    row("tonight in all", money(report.returns().nightCost()));
    html.close().close();
  }

  private void examples() {
    if (report.examples().isEmpty()) {
      return;
    }
    html.leaf("h2", "Side by side");
    for (SideBySide e : report.examples()) {
      html.open("div", "class", "card");
      soft("Memory: " + e.memory());
      html.leaf("pre", e.problem()).open("div", "class", "pair");
      answer(
          "without", e.baselineAnswer(), e.baselinePassed(), e.baselineUnits(), e.baselineCost());
      answer(
          "with", e.candidateAnswer(), e.candidatePassed(), e.candidateUnits(), e.candidateCost());
      html.close().close();
    }
  }

  private void answer(String side, String text, boolean passed, double units, double cost) {
    html.open("div").open("p").text(side + " memory: ");
    html.leaf("span", passed ? "right" : "wrong", "class", passed ? "good" : "bad");
    html.text(String.format(Locale.ROOT, ", %.0f %s, %s", units, report.unit(), money(cost)));
    html.close().leaf("pre", text).close();
  }

  private void refused() {
    if (report.refused().isEmpty()) {
      return;
    }
    html.leaf("h2", "Left out, and why");
    html.open("div", "class", "card").open("table");
    report.refused().forEach(r -> html.open("tr").leaf("td", r.what()).leaf("td", r.why()).close());
    html.close().close();
  }

  private void method() {
    html.leaf("h2", "How this was decided");
    html.open("div", "class", "card");
    html.leaf(
        "p",
        "Every side answered the same problems with the same seeds. Accuracy and cost are tested by"
            + " betting (e-processes), so the evaluation may stop at any problem; a promotion needs"
            + " both proved at the policy's alpha. Intervals hold at any stopping time. A fault of"
            + " the candidate counts as wrong and at full cost.");
    html.open("table");
    report
        .policy()
        .forEach(
            (name, value) ->
                row(name.replace('_', ' '), String.format(Locale.ROOT, "%.4g", value)));
    Report.Evidence seen = report.evidence();
    row(
        "evidence for accuracy, ln e (needs " + two(-Math.log(seen.alpha())) + ")",
        two(seen.logAccuracy()));
    row("evidence for the saving, ln e", two(seen.logSaving()));
    row("evidence of harm on the anchor set, ln e", two(seen.logAnchorLoss()));
    row("share of problems that one side alone got right", two(seen.discordance()));
    html.close().close();
  }

  /** What the sealed holdout said of the whole manifest, along one dimension. */
  private Stream<Comparison> gated(String dimension) {
    return report.comparisons().stream()
        .filter(c -> c.phase().equals("gate"))
        .filter(c -> c.arm().equals("manifest") && c.dimension().equals(dimension));
  }

  private void heads(List<String> words, List<String> numbers) {
    html.open("tr");
    words.forEach(word -> html.leaf("th", word));
    numbers.forEach(word -> html.leaf("th", word, "class", "n"));
    html.close();
  }

  private void row(String what, String figure) {
    html.open("tr").leaf("td", what);
    number(figure);
    html.close();
  }

  private void soft(String words) {
    html.leaf("p", words, "class", "soft");
  }

  private void tile(String figure, String words) {
    html.open("div", "class", "tile").leaf("strong", figure).leaf("span", words, "class", "soft");
    html.close();
  }

  private void number(String text) {
    html.leaf("td", text, "class", "n");
  }

  private static String arrow(String format, double before, double after) {
    return String.format(Locale.ROOT, format, before)
        + " \u2192 "
        + String.format(Locale.ROOT, format, after);
  }

  private static String interval(Interval i) {
    return String.format(Locale.ROOT, "%.0f%% to %.0f%%", 100 * i.low(), 100 * i.high());
  }

  private static String money(double amount) {
    double size = Math.abs(amount);
    if (size > 0 && size < 0.001) {
      return String.format(Locale.ROOT, "%.1f millionths", amount * 1e6);
    }
    return String.format(Locale.ROOT, size < 1 ? "%.4f" : "%.2f", amount);
  }

  private static String two(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  private static String word(Verdict verdict) {
    if (verdict instanceof Verdict.Promote) {
      return "promote";
    }
    return verdict instanceof Verdict.Hold ? "hold" : "insufficient";
  }

  private static String colour(Verdict verdict) {
    if (verdict instanceof Verdict.Promote) {
      return "good";
    }
    return verdict instanceof Verdict.Hold ? "bad" : "warn";
  }
}
