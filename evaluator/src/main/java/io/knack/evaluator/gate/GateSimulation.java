package io.knack.evaluator.gate;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.knack.contracts.Verdict;
import io.knack.contracts.cli.Console;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Plays the gate over many imagined nights: what a policy promises, measured.
 *
 * <p>A night has 1,500 problems in 5 clusters. A problem's chance of a right sample is drawn from a
 * cluster's Beta-like law, its baseline budget is that of adaptive Best-of-16. The candidate's
 * budget is drawn anew from the same law, or, where its memory applies, is one sample; the share
 * where it applies gives the true saving. 5% of the answers are discordant.
 */
public final class GateSimulation {
  private static final int PROBLEMS = 1_500;
  private static final int CLUSTERS = 5;
  private static final int CAP = 16;
  private static final int ANCHOR = 100;
  private static final double DISCORDANCE = 0.05;
  private static final int CHUNK = 50;

  private final GatePolicy policy;
  private final long seed;

  public GateSimulation(GatePolicy policy, long seed) {
    this.policy = policy;
    this.seed = seed;
  }

  /** A truth about a candidate. */
  public record Truth(String name, double saving, double accuracyLoss) {}

  /**
   * What came of all nights under one truth.
   *
   * @param problemsUsed mean share of the 1,500
   */
  public record Outcome(
      Truth truth, long nights, double promoted, double held, double problemsUsed) {}

  /** The fields of {@code evaluate --simulate --json}. */
  public record Result(
      long nights,
      double falsePromotionRate,
      @JsonProperty("power_at_30_percent") double powerAt30Percent,
      @JsonProperty("promoted_with_3_point_loss") double promotedWith3PointLoss,
      @JsonProperty("mean_problems_used_fraction_at_50_percent")
          double meanProblemsUsedFractionAt50Percent,
      List<Outcome> outcomes) {}

  /** Runs all four truths on so many threads. */
  public Result run(int nights, int threads, Console console) throws InterruptedException {
    List<Truth> truths =
        List.of(
            new Truth("no saving", 0, 0),
            new Truth("30% saving", 0.3, 0),
            new Truth("30% saving, 3 points lost", 0.3, 0.03),
            new Truth("50% saving", 0.5, 0));
    List<Outcome> outcomes = new ArrayList<>();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try (Console.Progress progress =
        console.progress("simulated nights", (long) nights * truths.size())) {
      for (Truth truth : truths) {
        outcomes.add(play(truth, nights, pool, progress));
      }
    } finally {
      pool.shutdownNow();
    }
    return new Result(
        nights,
        outcomes.get(0).promoted(),
        outcomes.get(1).promoted(),
        outcomes.get(2).promoted(),
        outcomes.get(3).problemsUsed(),
        outcomes);
  }

  private Outcome play(Truth truth, int nights, ExecutorService pool, Console.Progress progress)
      throws InterruptedException {
    List<Future<long[]>> chunks = new ArrayList<>();
    for (int from = 0; from < nights; from += CHUNK) {
      int first = from;
      int last = Math.min(nights, from + CHUNK);
      chunks.add(
          pool.submit(
              () -> {
                long[] sums = new long[3];
                for (int night = first; night < last; night++) {
                  night(truth, night, sums);
                }
                progress.step(last - first);
                return sums;
              }));
    }
    long[] total = new long[3];
    for (Future<long[]> chunk : chunks) {
      try {
        long[] sums = chunk.get();
        for (int i = 0; i < total.length; i++) {
          total[i] += sums[i];
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
    return new Outcome(
        truth,
        nights,
        (double) total[0] / nights,
        (double) total[1] / nights,
        (double) total[2] / nights / PROBLEMS);
  }

  /** Adds to promoted, held, and problems used. */
  private void night(Truth truth, int night, long[] sums) {
    SplittableRandom random =
        new SplittableRandom(seed ^ (night * 0x9E3779B97F4A7C15L) ^ truth.name().hashCode());
    List<String> slices = new ArrayList<>();
    double[] difficulty = new double[CLUSTERS];
    for (int k = 0; k < CLUSTERS; k++) {
      slices.add("cluster=" + k);
      difficulty[k] = 0.08 + 0.20 * random.nextDouble();
    }
    // Memory applies on a share q of the problems and then costs one sample: E[c] = q + (1-q) E[b].
    double mean = meanBudget(difficulty);
    double q = truth.saving() * mean / (mean - 1);
    double worse = DISCORDANCE / 2 + truth.accuracyLoss() / 2;
    SequentialGate gate = new SequentialGate(policy, 0, slices, 1);
    for (int i = 0; i < ANCHOR; i++) {
      gate.observeAnchor(new Paired(1, 1, CAP, true, true));
    }
    while (gate.problems() < PROBLEMS && !gate.settled()) {
      int cluster = random.nextInt(CLUSTERS);
      double p = chance(difficulty[cluster], random);
      int baseline = budget(p, random);
      int candidate = random.nextDouble() < q ? 1 : budget(p, random);
      double u = random.nextDouble();
      boolean baselinePassed = u < worse || u >= DISCORDANCE;
      boolean candidatePassed = u >= worse;
      gate.observe(new Paired(baseline, candidate, CAP, baselinePassed, candidatePassed), cluster);
    }
    Verdict verdict = Gate.decide(gate.evidence(null), policy);
    sums[0] += verdict instanceof Verdict.Promote ? 1 : 0;
    sums[1] += verdict instanceof Verdict.Hold ? 1 : 0;
    sums[2] += gate.problems();
  }

  /** Half of the problems at half of the cluster's chance, half at one and a half of it. */
  private static double chance(double difficulty, SplittableRandom random) {
    return random.nextBoolean() ? difficulty / 2 : difficulty * 1.5;
  }

  /** Samples drawn until one is right, at most the cap. */
  private static int budget(double p, SplittableRandom random) {
    double draws = Math.ceil(Math.log1p(-random.nextDouble()) / Math.log1p(-p));
    return (int) Math.max(1, Math.min(CAP, draws));
  }

  private static double meanBudget(double[] difficulty) {
    double sum = 0;
    for (double d : difficulty) {
      sum += (expected(d / 2) + expected(d * 1.5)) / 2;
    }
    return sum / difficulty.length;
  }

  /** E[min(Geometric(p), cap)]. */
  private static double expected(double p) {
    return (1 - Math.pow(1 - p, CAP)) / p;
  }
}
