package io.knack.evaluator.measure;

import io.knack.contracts.Interval;
import io.knack.contracts.PriceBook;
import io.knack.contracts.Report.Comparison;
import io.knack.contracts.Report.Side;
import io.knack.contracts.Trial;
import io.knack.evaluator.gate.Paired;
import io.knack.evaluator.statistics.ConfidenceBounds;
import io.knack.evaluator.statistics.PairedRows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Sums up paired trials: for all, and by cluster, tenant, similarity and the plan's tags. */
final class Comparisons {
  /** Of every interval in a report: 95%, at any stopping time. */
  static final double ALPHA = 0.05;

  /** Slices smaller than this are counted in the total only. */
  private static final int LEAST = 5;

  private final PriceBook prices;
  private final double cap;
  private final List<String> tags;

  /**
   * @param cap the most that a side can spend on any problem
   */
  Comparisons(PriceBook prices, double cap, List<String> tags) {
    this.prices = prices;
    this.cap = cap;
    this.tags = tags;
  }

  /** Both sides of a problem. */
  record TrialPair(Trial baseline, Trial candidate) {}

  /** The total first, then each dimension's values in order. */
  List<Comparison> of(String phase, String arm, List<TrialPair> pairs) {
    List<Comparison> all = new ArrayList<>();
    if (pairs.isEmpty()) {
      return all;
    }
    all.add(compare(phase, arm, "all", "all", pairs));
    Map<String, Map<String, List<TrialPair>>> slices = new LinkedHashMap<>();
    for (TrialPair pair : pairs) {
      Trial trial = pair.candidate();
      add(slices, "cluster", String.valueOf(trial.cluster()), pair);
      add(slices, "tenant", trial.tenant().value(), pair);
      add(slices, "similarity", trial.similarity() == null ? "new" : trial.similarity(), pair);
      for (String tag : tags) {
        String value = trial.tags().get(tag);
        if (value != null) {
          add(slices, tag, value, pair);
        }
      }
    }
    slices.forEach(
        (dimension, values) ->
            values.forEach(
                (value, members) -> {
                  if (members.size() >= LEAST) {
                    all.add(compare(phase, arm, dimension, value, members));
                  }
                }));
    return all;
  }

  private Comparison compare(
      String phase, String arm, String dimension, String value, List<TrialPair> pairs) {
    List<PairedRows.Row> rows = new ArrayList<>();
    long fired = 0;
    long faults = 0;
    for (TrialPair pair : pairs) {
      Trial b = pair.baseline();
      Trial c = pair.candidate();
      Paired paired =
          Paired.of(
              Math.min(cap, prices.cost(b.budget())),
              prices.cost(c.budget()),
              cap,
              b.passed(),
              c.passed(),
              b.fault() != null,
              c.fault() != null);
      rows.add(
          new PairedRows.Row(paired.baselineCost(), paired.candidateCost(), paired.difference()));
      fired += c.fired() ? 1 : 0;
      faults += (b.fault() == null ? 0 : 1) + (c.fault() == null ? 0 : 1);
    }
    PairedRows paired = new PairedRows(rows, cap, cap);
    Interval saving = ConfidenceBounds.saving(paired, ALPHA);
    return new Comparison(
        phase,
        arm,
        pairs.get(0).candidate().method(),
        dimension,
        value,
        pairs.size(),
        fired,
        faults,
        side(pairs.stream().map(TrialPair::baseline).toList()),
        side(pairs.stream().map(TrialPair::candidate).toList()),
        saving,
        ConfidenceBounds.accuracyChange(paired.differences(), ALPHA));
  }

  private Side side(List<Trial> trials) {
    double passed = 0;
    double cost = 0;
    double units = 0;
    double prompt = 0;
    double completion = 0;
    for (Trial trial : trials) {
      passed += trial.passed() ? 1 : 0;
      cost += prices.cost(trial.budget());
      units += trial.budget().units();
      prompt += trial.budget().promptTokens();
      completion += trial.budget().completionTokens();
    }
    int n = trials.size();
    return new Side(passed / n, cost / n, units / n, prompt / n, completion / n);
  }

  private static void add(
      Map<String, Map<String, List<TrialPair>>> slices,
      String dimension,
      String value,
      TrialPair pair) {
    slices
        .computeIfAbsent(dimension, d -> new TreeMap<>())
        .computeIfAbsent(value, v -> new ArrayList<>())
        .add(pair);
  }
}
