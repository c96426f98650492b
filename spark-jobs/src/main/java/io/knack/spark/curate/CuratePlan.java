package io.knack.spark.curate;

import io.knack.contracts.plan.Address;
import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.http.EndpointCalls;
import java.io.Serial;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The plan of {@code curate}. */
public record CuratePlan(
    @Doc("treat everything that was imported as one cluster a tenant, whatever mining found")
        @Default("false")
        boolean allAsOneCluster,
    @Doc("what says whether an answer is right; an interaction with a reference needs none")
        List<VerifierRule> verifiers,
    @Doc("checkpoint directory of the model that verifiers of kind judge ask")
        @Nullable String model,
    @Doc("OpenAI-compatible endpoint, used where there is no directory") @Address
        @Nullable String endpoint,
    @Doc("the model's name at the endpoint") @Nullable String endpointModel,
    @Doc("how the endpoint is asked") EndpointCalls calls,
    @Doc("check again what a log calls right, before it is learnt from: logs lie and rules change")
        @Default("false")
        boolean recheck,
    @Doc("score from which an answer counts as right") @Default("1.0") @Range(min = 0, max = 1)
        double passScore,
    @Doc("share of the problems, the earliest, that is learnt from")
        @Default("0.6")
        @Range(min = 0.05, max = 0.9)
        double trainFraction,
    @Doc("share after that for replay, triggers and early stopping")
        @Default("0.2")
        @Range(min = 0.05, max = 0.9)
        double validationFraction,
    @Doc("problems outside every cluster that are kept for ever to notice harm")
        @Default("50")
        @Range(min = 0, max = 10000)
        int anchorSize,
    @Doc("the holdout begins earlier where its share is fewer problems, up to twice its share")
        @Default("700")
        @Range(min = 0)
        int holdoutTarget,
    @Doc("verified solutions, the same problem's too, below which a cluster is not learnt")
        @Default("3")
        @Range(min = 1)
        int minTrain,
    @Doc("later problems below which a cluster is not learnt: its trigger is fitted to them")
        @Default("2")
        @Range(min = 0)
        int minValidation,
    @Doc("sealed problems below which a cluster is not learnt; the gate tests all of them together")
        @Default("1")
        @Range(min = 0)
        int minHoldout,
    @Doc("sealed problems of all clusters below which there is nothing to learn tonight")
        @Default("20")
        @Range(min = 1)
        int minHoldoutProblems,
    @Doc("clusters looked at, the most promising first")
        @Default("500")
        @Range(min = 1, max = 10000)
        int maxClusters,
    @Doc("interactions looked at in all of them together: what the driver holds")
        @Default("100000")
        @Range(min = 100, max = 10000000)
        int maxInteractions,
    @Doc("latest interactions looked at in each cluster")
        @Default("4000")
        @Range(min = 10, max = 100000)
        int maxPerCluster,
    @Doc("training examples of one cluster at most") @Default("2000") @Range(min = 1)
        int maxTrainPerCluster,
    @Doc("training examples from one subject in one cluster at most") @Default("20") @Range(min = 1)
        int maxPerSubject,
    @Doc("the same problem of the same subject within this time is a retry") @Default("10m")
        Duration retryWindow,
    @Doc("tonight's budget, estimated from token counts, never from the clock")
        @Default("240")
        @Range(min = 0)
        double deviceMinutes,
    @Doc("training tokens per second of the device, for that estimate")
        @Default("2000")
        @Range(min = 1)
        double tokensPerSecond,
    @Doc("passes over the training examples, for that estimate") @Default("3") @Range(min = 1)
        int epochs,
    @Doc("later problems of a cluster that are judged, for that estimate")
        @Default("16")
        @Range(min = 1)
        int judgedPerCluster,
    @Default("1") long seed)
    implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  public CuratePlan {
    verifiers = List.copyOf(verifiers);
    List<String> problems = new ArrayList<>();
    if (trainFraction + validationFraction > 0.95) {
      problems.add(
          "train_fraction and validation_fraction must leave at least 0.05 to the holdout, found "
              + (trainFraction + validationFraction));
    }
    if (retryWindow.isNegative()) {
      problems.add("retry_window must not be negative");
    }
    for (VerifierRule rule : verifiers) {
      if (rule.kind().equals("judge")
          && model == null
          && (endpoint == null || endpointModel == null)) {
        problems.add(
            "verifiers: a judge asks a model; set model to a checkpoint directory, or endpoint and"
                + " endpoint_model");
      }
      if (rule.kind().equals("agreement")) {
        problems.add(
            "verifiers: kind "
                + rule.kind()
                + " compares samples of one night and cannot curate; use exact, numeric, regex,"
                + " json_schema, choice, command or judge");
      }
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
