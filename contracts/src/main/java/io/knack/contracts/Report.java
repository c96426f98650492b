package io.knack.contracts;

import io.knack.contracts.Manifest.Trigger;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What a night's memories were measured to save, and what the gate said. Written as {@code
 * report.json}. All costs are in the currency of the price book, per problem unless said otherwise.
 *
 * @param baseModel the name that serving knows it by
 * @param method the solver, as {@code best_of_n}
 * @param unit what the method's units count
 * @param policy the gate's limits, by their names in the plan
 * @param verdict on the candidate manifest as a whole
 * @param comparisons every arm against the baseline, on the same problems with the same seeds
 * @param refused what was left out, and why
 */
public record Report(
    RunId run,
    String baseModel,
    @Nullable String baseRevision,
    String method,
    String unit,
    PriceBook prices,
    SortedMap<String, Double> policy,
    Verdict verdict,
    Counts counts,
    Evidence evidence,
    List<Comparison> comparisons,
    List<EntryReport> entries,
    ReturnOnInvestment returns,
    List<SideBySide> examples,
    List<Refusal> refused) {

  public Report {
    comparisons = List.copyOf(comparisons);
    entries = List.copyOf(entries);
    examples = List.copyOf(examples);
    refused = List.copyOf(refused);
  }

  /**
   * How much was measured.
   *
   * @param screened problems of the validation split that chose the arms
   * @param gated problems of the sealed holdout that the gate looked at
   * @param available problems of the sealed holdout that it could have looked at
   * @param anchor problems of the anchor set
   * @param solved problems that a model was asked, over all arms
   * @param faults infrastructure faults, either side
   */
  public record Counts(
      long clusters,
      long screened,
      long gated,
      long available,
      long anchor,
      long solved,
      long faults) {}

  /**
   * What the sequential tests had seen when they stopped. Logarithms are natural; each is the peak
   * of its e-process in the last round.
   *
   * @param round from 0; an entry that was harmful is dropped and the tests start again on fresh
   *     problems, at a smaller share of alpha
   * @param alpha the share of this round
   * @param logAccuracy against "accuracy falls by the margin or more"
   * @param logSaving against "the saving is below the least"
   * @param logNoSaving against "the saving is at least the least": futility
   * @param logLoss against "accuracy does not fall by the margin": futility
   * @param logAnchorLoss against "the anchor set is not harmed"
   * @param discordance share of problems that one side alone got right
   * @param meanDifference of accuracy, candidate less baseline
   * @param provedSaving the largest saving that is rejected one-sided at alpha; null when none is
   * @param slices evidence of harm, slice by slice
   */
  public record Evidence(
      int round,
      double alpha,
      long problems,
      double logAccuracy,
      double logSaving,
      double logNoSaving,
      double logLoss,
      double logAnchorLoss,
      long anchorProblems,
      double discordance,
      double meanDifference,
      @Nullable Double provedSaving,
      List<SliceEvidence> slices) {
    public Evidence {
      slices = List.copyOf(slices);
    }
  }

  /**
   * @param slice such as {@code cluster=k-17} or {@code tenant=acme}
   * @param logHarm against "accuracy does not fall here"
   */
  public record SliceEvidence(String slice, long problems, double logHarm) {}

  /**
   * One arm against the baseline on the same problems.
   *
   * @param phase {@code screening}, {@code gate} or {@code anchor}
   * @param arm as in {@link Trial#arm}
   * @param dimension {@code all}, {@code cluster}, {@code tenant}, {@code similarity} or the name
   *     of a tag
   * @param value of the dimension; {@code all} for all
   * @param saving 1 - candidate's cost / baseline's, of sums; its bounds hold at any stopping time
   * @param accuracyChange candidate less baseline, likewise
   */
  public record Comparison(
      String phase,
      String arm,
      String method,
      String dimension,
      String value,
      long problems,
      long fired,
      long faults,
      Side baseline,
      Side candidate,
      Interval saving,
      Interval accuracyChange) {}

  /** Means per problem of one side. */
  public record Side(
      double accuracy, double cost, double units, double promptTokens, double completionTokens) {}

  /**
   * One cluster: what was chosen for it, and what became of the choice.
   *
   * @param memory the chosen arm; {@code nothing} when no memory was worth its cost
   * @param expectedSaving per month, net of carrying costs, as screened
   * @param arms what each arm would have saved, as screened
   */
  public record EntryReport(
      ClusterId clusterId,
      @Nullable TenantId tenant,
      String title,
      String memory,
      double problemsPerMonth,
      double expectedSaving,
      Verdict verdict,
      List<ArmReport> arms,
      @Nullable Trigger trigger,
      double triggerRecall,
      double triggerMisfires) {
    public EntryReport {
      arms = List.copyOf(arms);
    }
  }

  /**
   * One arm of one cluster on the validation split.
   *
   * @param netSaving per month, carrying cost taken off
   * @param reason why it was not eligible; null when it was
   */
  public record ArmReport(
      String arm,
      long problems,
      long fired,
      double saving,
      double accuracyChange,
      double carryingCost,
      double netSaving,
      @Nullable String reason) {}

  /**
   * @param savedPerMonth expected, of the promoted entries
   * @param nightCost what making and judging tonight's memory cost
   * @param paybackDays null when nothing is saved
   */
  public record ReturnOnInvestment(
      double savedPerMonth,
      Interval savedPerMonthBounds,
      double nightCost,
      SortedMap<String, Double> nightCosts,
      @Nullable Double paybackDays) {}

  /** The same problem with and without its memory. */
  public record SideBySide(
      ExampleId example,
      @Nullable ClusterId cluster,
      String memory,
      String problem,
      String baselineAnswer,
      boolean baselinePassed,
      double baselineCost,
      double baselineUnits,
      String candidateAnswer,
      boolean candidatePassed,
      double candidateCost,
      double candidateUnits) {}

  /** Something that was left out. */
  public record Refusal(String what, String why) {}
}
