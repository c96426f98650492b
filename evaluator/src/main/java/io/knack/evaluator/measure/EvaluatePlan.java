package io.knack.evaluator.measure;

import io.knack.contracts.PriceBook;
import io.knack.contracts.plan.Address;
import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import io.knack.evaluator.gate.GatePolicy;
import io.knack.evaluator.statistics.ErrorOverNights;
import io.knack.llm.http.EndpointCalls;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How memories are measured and judged. */
public record EvaluatePlan(
    @Doc("checkpoint directory of the served model; needed to measure adapters")
        @Nullable Path model,
    @Doc("OpenAI-compatible endpoint, used where there is no directory") @Address
        @Nullable String endpoint,
    @Doc("how the endpoint is asked") EndpointCalls calls,
    @Doc("what serving calls the base model; the directory's name without it")
        @Nullable String baseModelName,
    @Doc("revision of the base model that serving runs") @Nullable String baseRevision,
    @Doc("best_of_n, tree_of_thoughts, self_refine or long_cot") @Default("best_of_n")
        String method,
    @Doc("how much may be spent on one problem, both sides alike") SolverOptions solver,
    @Doc("turns tokens, samples and checks into one cost") PriceBook prices,
    @Doc("what a candidate must prove") GatePolicy gate,
    @Doc("each: every night spends the gate's alpha; e_lond: all nights share it") @Default("each")
        Nights nights,
    @Doc("which problems are looked at") Sampling sampling,
    @Doc("when a memory fires") Triggers triggers,
    @Doc("what memory costs besides tokens") Carrying carrying,
    @Doc("shuffles and samples; both sides of a pair share their seeds") @Default("1") long seed) {

  /** What the error rate is kept over. */
  public enum Nights {
    /** A night that must not be promoted is promoted with probability alpha at most. */
    EACH,
    /**
     * Of all promotions over all nights, a share of alpha at most is false, in expectation. The
     * tenth night takes about twice the problems, the hundredth twice to three times.
     */
    E_LOND
  }

  /** Which problems are looked at. */
  public record Sampling(
      @Doc("validation problems a cluster on which its arms are screened")
          @Default("12")
          @Range(min = Screening.LEAST_PROBLEMS, max = 10_000)
          int screening,
      @Doc("problems of the sealed holdout at most; the gate stops sooner when it is settled")
          @Default("600")
          @Range(min = 20, max = 1_000_000)
          int holdout,
      @Doc("problems between two looks of the gate: one batch")
          @Default("50")
          @Range(min = 1, max = 100_000)
          int look,
      @Doc("problems of the anchor set at most") @Default("200") @Range(min = 0, max = 100_000)
          int anchor,
      @Doc("tags whose values are slices: harm in any of them vetoes") List<String> slices,
      @Doc("problems shown side by side in the report") @Default("8") @Range(min = 0, max = 100)
          int examples) {}

  /** When a memory fires. */
  public record Triggers(
      @Doc("share of a cluster's own problems (training and validation) that its trigger must keep")
          @Default("0.9")
          @Range(min = 0.5, max = 1)
          double keep,
      @Doc("share of unlike problems on which it may fire")
          @Default("0.02")
          @Range(min = 0, max = 0.5)
          double misfires,
      @Doc("a trigger that keeps less than this while holding misfires down is not used")
          @Default("0.5")
          @Range(min = 0, max = 1)
          double leastRecall) {}

  /** What memory costs besides tokens, in the currency of the price book. */
  public record Carrying(
      @Doc("an adapter slot at the serving tier, per month") @Default("0.0") @Range(min = 0)
          double adapterSlotPerMonth,
      @Doc("an hour of the device that trains") @Default("0.0") @Range(min = 0) double deviceHour,
      @Doc("months over which training is written off") @Default("1") @Range(min = 0.01)
          double monthsToWriteOff,
      @Doc("booked for finding a memory, per routed problem: a fixed estimate, never the clock")
          @Default("200")
          @Range(min = 0)
          long retrievalMicros,
      @Doc("an arm must save at least this share of its cluster's cost on validation")
          @Default("0.05")
          @Range(min = 0, max = 1)
          double leastShare) {}

  public EvaluatePlan {
    List<String> problems = new ArrayList<>();
    if (!Solvers.names().contains(method)) {
      problems.add(
          "method: no solver is called '" + method + "'; choose one of " + Solvers.names());
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  /**
   * The plan with tonight's share of alpha in its gate.
   *
   * @param gated nights that the gate has judged before
   * @param promoted how many of them it promoted
   */
  EvaluatePlan after(int gated, int promoted) {
    double alpha =
        switch (nights) {
          case EACH -> gate.alpha();
          case E_LOND -> ErrorOverNights.level(gated + 1, promoted, gate.alpha());
        };
    return new EvaluatePlan(
        model,
        endpoint,
        calls,
        baseModelName,
        baseRevision,
        method,
        solver,
        prices,
        gate.withAlpha(alpha),
        nights,
        sampling,
        triggers,
        carrying,
        seed);
  }

  /** What serving calls the base model. */
  public String servedName() {
    if (baseModelName != null) {
      return baseModelName;
    }
    Path name = model == null ? null : model.toAbsolutePath().normalize().getFileName();
    return name == null ? "base" : name.toString();
  }
}
