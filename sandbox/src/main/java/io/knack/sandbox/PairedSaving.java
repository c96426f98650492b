package io.knack.sandbox;

import io.knack.contracts.Interval;
import io.knack.contracts.PriceBook;
import io.knack.sandbox.serve.TrafficLog.Measured;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The same requests, served with and without a manifest, compared pair by pair. Intervals are
 * two-sided 95% percentile bootstraps over requests (Efron and Tibshirani, 1993), seeded.
 */
final class PairedSaving {
  private static final int RESAMPLES = 4_000;
  private static final double TAIL = 0.025;

  /** One request, both ways. */
  record Pair(Measured before, Measured after) {}

  private final List<Pair> pairs;
  private final PriceBook prices;

  private PairedSaving(List<Pair> pairs, PriceBook prices) {
    this.pairs = pairs;
    this.prices = prices;
  }

  /** Pairs by request; what only one side has is left out. */
  static PairedSaving of(List<Measured> before, List<Measured> after, PriceBook prices) {
    Map<String, Measured> byId = new HashMap<>();
    before.forEach(m -> byId.put(m.id(), m));
    List<Pair> pairs = new ArrayList<>();
    for (Measured a : after) {
      @Nullable Measured b = byId.get(a.id());
      if (b != null) {
        pairs.add(new Pair(b, a));
      }
    }
    return new PairedSaving(pairs, prices);
  }

  /** The pairs of some requests. */
  PairedSaving where(Predicate<Pair> chosen) {
    return new PairedSaving(pairs.stream().filter(chosen).toList(), prices);
  }

  int size() {
    return pairs.size();
  }

  /** Share of the priced all-in cost that is saved. */
  Interval saving() {
    return ratio(m -> prices.cost(m.budget()));
  }

  /** Share of all tokens, unpriced, that is saved. */
  Interval rawTokensSaving() {
    return ratio(m -> m.budget().promptTokens() + m.budget().completionTokens());
  }

  /** Accuracy after less accuracy before. */
  Interval accuracyDifference() {
    return interval(
        sample ->
            Arrays.stream(sample)
                .mapToDouble(i -> passed(pairs.get(i).after()) - passed(pairs.get(i).before()))
                .average()
                .orElse(0));
  }

  double accuracyBefore() {
    return pairs.stream().mapToDouble(p -> passed(p.before())).average().orElse(0);
  }

  double accuracyAfter() {
    return pairs.stream().mapToDouble(p -> passed(p.after())).average().orElse(0);
  }

  double samplesBefore() {
    return pairs.stream().mapToDouble(p -> p.before().budget().units()).average().orElse(0);
  }

  double samplesAfter() {
    return pairs.stream().mapToDouble(p -> p.after().budget().units()).average().orElse(0);
  }

  double tokensBefore() {
    return pairs.stream().mapToDouble(p -> tokens(p.before())).average().orElse(0);
  }

  double tokensAfter() {
    return pairs.stream().mapToDouble(p -> tokens(p.after())).average().orElse(0);
  }

  double fireRate() {
    return pairs.stream().mapToDouble(p -> p.after().fired() ? 1 : 0).average().orElse(0);
  }

  private static double tokens(Measured m) {
    return m.budget().promptTokens() + m.budget().completionTokens();
  }

  private static double passed(Measured m) {
    return m.passed() ? 1 : 0;
  }

  private Interval ratio(ToDoubleFunction<Measured> cost) {
    double[] before = pairs.stream().mapToDouble(p -> cost.applyAsDouble(p.before())).toArray();
    double[] after = pairs.stream().mapToDouble(p -> cost.applyAsDouble(p.after())).toArray();
    return interval(
        sample -> {
          double was = 0;
          double is = 0;
          for (int i : sample) {
            was += before[i];
            is += after[i];
          }
          return was > 0 ? 1 - is / was : 0;
        });
  }

  private Interval interval(ToDoubleFunction<int[]> statistic) {
    int n = pairs.size();
    int[] all = new int[n];
    Arrays.setAll(all, i -> i);
    if (n == 0) {
      return new Interval(0, 0, 0);
    }
    SplittableRandom random = new SplittableRandom(20_260_101);
    double[] values = new double[RESAMPLES];
    int[] sample = new int[n];
    for (int r = 0; r < RESAMPLES; r++) {
      for (int i = 0; i < n; i++) {
        sample[i] = random.nextInt(n);
      }
      values[r] = statistic.applyAsDouble(sample);
    }
    Arrays.sort(values);
    return new Interval(
        statistic.applyAsDouble(all),
        values[(int) (TAIL * RESAMPLES)],
        values[(int) ((1 - TAIL) * RESAMPLES) - 1]);
  }
}
