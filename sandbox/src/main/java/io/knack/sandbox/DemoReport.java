package io.knack.sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Interval;
import io.knack.contracts.Manifest;
import io.knack.contracts.PriceBook;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.measure.EvaluateStage;
import io.knack.sandbox.world.Level;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What the demo says at its end: of its last night in full, of those before it a line each. */
final class DemoReport {
  private final Path workspace;
  private final List<Night> nights;
  private final List<Phase> phases;
  private final double seconds;

  /** A part of the demo and how long it took. */
  record Phase(String name, double seconds) {}

  /**
   * A night and the day after it.
   *
   * @param record as {@code ./knack night --json} prints it
   * @param live what serves after the night; null where nothing was ever promoted
   * @param nextDay every request of the next day, without memory and with it
   */
  record Night(JsonNode record, @Nullable Manifest live, PairedSaving nextDay) {
    PairedSaving recurring() {
      return nextDay.where(pair -> pair.after().recurring());
    }

    int promoted() {
      return live == null ? 0 : live.entries().size();
    }

    int held() {
      for (JsonNode stage : record.path("stages")) {
        if (stage.path("name").asText().equals("evaluate")) {
          return stage.path("figures").path("held").asInt(0);
        }
      }
      return 0;
    }

    boolean judged() {
      for (JsonNode stage : record.path("stages")) {
        if (stage.path("name").asText().equals("evaluate") && stage.hasNonNull("artifact")) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * @param nights at least one, in order
   */
  DemoReport(Path workspace, List<Night> nights, List<Phase> phases, double seconds) {
    this.workspace = workspace;
    this.nights = List.copyOf(nights);
    this.phases = List.copyOf(phases);
    this.seconds = seconds;
  }

  private Night last() {
    return nights.get(nights.size() - 1);
  }

  /** The fields of the last night, {@code nights} with those of each, and the phases. */
  ObjectNode json() {
    ObjectNode node = figures(last());
    ArrayNode each = node.putArray("nights");
    nights.forEach(night -> each.add(figures(night)));
    node.put("report", page());
    node.set("prices", Jsons.mapper().valueToTree(PriceBook.DEFAULT));
    node.set("phases", Jsons.mapper().valueToTree(phases));
    node.put("seconds", seconds);
    return node;
  }

  private static ObjectNode figures(Night night) {
    PairedSaving recurring = night.recurring();
    ObjectNode node = Jsons.mapper().createObjectNode();
    node.set("saving", Jsons.mapper().valueToTree(recurring.saving()));
    node.set("accuracy_difference", Jsons.mapper().valueToTree(recurring.accuracyDifference()));
    node.set("raw_tokens_saving", Jsons.mapper().valueToTree(recurring.rawTokensSaving()));
    node.put("samples_before", recurring.samplesBefore());
    node.put("samples_after", recurring.samplesAfter());
    node.put("accuracy_before", recurring.accuracyBefore());
    node.put("accuracy_after", recurring.accuracyAfter());
    node.put("problems", recurring.size());
    node.set("all_traffic_saving", Jsons.mapper().valueToTree(night.nextDay().saving()));
    node.put("promoted", night.promoted());
    node.put("held", night.held());
    node.put("verdict", night.record().path("verdict").asText());
    node.put("manifest", night.live() == null ? null : night.live().number());
    return node;
  }

  void print(PrintWriter out) {
    table(out, last());
    out.println();
    for (int i = 0; i < nights.size(); i++) {
      Night night = nights.get(i);
      String which = nights.size() == 1 ? "night" : "night " + (i + 1);
      out.printf(
          Locale.ROOT,
          "%s: %s (%s); manifest %s, %d memories live%n",
          which,
          night.record().path("verdict").asText("no verdict"),
          night.record().path("reason").asText(),
          night.live() == null ? "none" : Manifest.name(night.live().number()),
          night.promoted());
      out.printf(
          Locale.ROOT,
          "saved %s of the priced all-in cost of the next day's recurring traffic; accuracy %s%n%n",
          words(night.recurring().saving()),
          points(night.recurring().accuracyDifference()));
    }
    phases.forEach(p -> out.printf(Locale.ROOT, "%-24s %7.1f s%n", p.name(), p.seconds()));
    out.printf(Locale.ROOT, "%-24s %7.1f s%n%n", "altogether", seconds);
    out.println("report: " + page());
    out.println("next:   ./knack route --home '" + workspace + "' --form short --prompt TEXT");
  }

  /** The page of the last night's report; {@code none} where that night judged nothing. */
  private String page() {
    if (!last().judged()) {
      return "none";
    }
    return ArtifactStore.open(workspace)
        .latest(ArtifactKind.EVALUATION)
        .map(evaluation -> evaluation.file(EvaluateStage.PAGE).toString())
        .orElse("none");
  }

  private static String words(Interval interval) {
    return String.format(
        Locale.ROOT,
        "%.1f%% (%.1f to %.1f)",
        100 * interval.estimate(),
        100 * interval.low(),
        100 * interval.high());
  }

  private static String points(Interval interval) {
    return String.format(
        Locale.ROOT,
        "%+.1f points (%+.1f to %+.1f)",
        100 * interval.estimate(),
        100 * interval.low(),
        100 * interval.high());
  }

  private static void table(PrintWriter out, Night night) {
    PairedSaving all = night.nextDay();
    PairedSaving recurring = night.recurring();
    out.printf(
        Locale.ROOT,
        "%-26s %8s %6s %9s %9s %9s %9s %9s %9s%n",
        "next day",
        "problems",
        "fired",
        "passed",
        "after",
        "samples",
        "after",
        "tokens",
        "after");
    row(out, "recurring", recurring, p -> true);
    for (Level level : Level.values()) {
      row(out, "  " + level, all, p -> p.after().level().equals(level.name()));
    }
    TreeSet<String> memories = new TreeSet<>();
    all.where(
            p -> {
              memories.add(p.after().memory());
              return false;
            })
        .size();
    for (String memory : memories) {
      row(out, "by " + memory, all, p -> p.after().memory().equals(memory));
    }
  }

  private static void row(
      PrintWriter out, String name, PairedSaving from, Predicate<PairedSaving.Pair> chosen) {
    PairedSaving pairs = from.where(chosen);
    if (pairs.size() > 0) {
      out.printf(
          Locale.ROOT,
          "%-26s %8d %5.0f%% %8.1f%% %8.1f%% %9.2f %9.2f %9.0f %9.0f%n",
          name,
          pairs.size(),
          100 * pairs.fireRate(),
          100 * pairs.accuracyBefore(),
          100 * pairs.accuracyAfter(),
          pairs.samplesBefore(),
          pairs.samplesAfter(),
          pairs.tokensBefore(),
          pairs.tokensAfter());
    }
  }
}
