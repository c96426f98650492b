package io.knack.trainer;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.AdapterConfig;
import io.knack.llm.train.AdamW;
import io.knack.llm.train.Compute;
import io.knack.llm.train.LoraLayout;
import io.knack.tracking.TrackingPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** How adapters are trained: the plan of {@code train}. */
public record TrainPlan(
    @Doc("directory of the base checkpoint; --model overrides it") @Nullable Path model,
    @Doc("what serving calls the base; the checkpoint directory's name without it")
        @Nullable String baseModelName,
    @Doc("revision of the base") @Nullable String baseRevision,
    @Doc("rank of the low-rank factors") @Default("16") @Range(min = 1) int rank,
    @Doc("the adapter's factor is alpha / rank") @Default("32") @Range(min = 0) double alpha,
    @Doc("of the adapter's inputs, in training") @Default("0.0") @Range(min = 0, max = 0.9)
        double dropout,
    @Doc("factor alpha / sqrt(rank) instead") @Default("false") boolean rslora,
    @Doc("module names, one regular expression, or all-linear") @Default("[all-linear]")
        List<String> targets,
    @Doc("rank by module name or pattern") Map<String, Integer> rankPattern,
    @Doc("alpha by module name or pattern") Map<String, Double> alphaPattern,
    @Doc("how A starts: kaiming (PEFT's default) or gaussian") @Default("kaiming")
        LoraLayout.Init init,
    @Doc("peak learning rate") @Default("0.0002") @Range(min = 0) double learningRate,
    @Doc("cosine, linear or constant, after the warm-up") @Default("cosine") Schedule schedule,
    @Doc("steps of linear warm-up") @Default("0") @Range(min = 0) long warmupSteps,
    @Doc("optimizer steps; instead of epochs") @Nullable Long steps,
    @Doc("passes over the data, where steps is not given") @Default("3") @Range(min = 0.01)
        double epochs,
    @Doc("examples of a batch") @Default("8") @Range(min = 1) int batchSize,
    @Doc("tokens of a batch at most, instead of batch_size; 0 for batch_size")
        @Default("0")
        @Range(min = 0)
        int batchTokens,
    @Doc("batches of an optimizer step") @Default("1") @Range(min = 1) int gradientAccumulation,
    @Doc("tokens of an example at most") @Default("1024") @Range(min = 2) int maxLength,
    @Doc("an example that is longer: drop, cut_left or refuse") @Default("drop") TooLong tooLong,
    @Doc("examples share micro-batches, without seeing each other") @Default("true")
        boolean packing,
    @Doc("a new order every epoch") @Default("true") boolean shuffle,
    @Doc("decoupled") @Default("0.0") @Range(min = 0) double weightDecay,
    @Doc("AdamW") @Default("0.9") @Range(min = 0, max = 1) double beta1,
    @Doc("AdamW") @Default("0.999") @Range(min = 0, max = 1) double beta2,
    @Doc("AdamW") @Default("1e-8") @Range(min = 0) double epsilon,
    @Doc("global norm of an adapter's gradient to clip at; 0 for none")
        @Default("1.0")
        @Range(min = 0)
        double maxGradNorm,
    @Doc("of the base: float32 or bfloat16") @Default("float32") String dtype,
    @Doc("auto, cpu or gpu:N") @Default("auto") String device,
    @Doc("passes at the same time, one core each; 0 for one per core") @Default("0") @Range(min = 0)
        int workers,
    @Doc("tokens of a micro-batch at most; auto takes the fastest that fits the memory")
        @Default("auto")
        String microTokens,
    @Doc("of first weights, order and dropout") @Default("1") long seed,
    @Doc("steps between checkpoints; 0 for none") @Default("100") @Range(min = 0)
        long checkpointEvery,
    @Doc("keep only layer inputs for the backward pass: less memory, more time") @Default("false")
        boolean activationCheckpointing,
    @Doc("examples of other clusters, as a share of a cluster's own")
        @Default("0.0")
        @Range(min = 0)
        double replayRatio,
    @Doc("of the examples, held out for early stopping") @Default("0.0") @Range(min = 0, max = 0.9)
        double validationFraction,
    @Doc("steps between validations; 0 for once an epoch where there is a reason to validate")
        @Default("0")
        @Range(min = 0)
        long validateEvery,
    @Doc("validations without a better loss before an adapter stops; 0 for never")
        @Default("0")
        @Range(min = 0)
        int patience,
    @Doc("steps with a loss or gradient that is not finite, before giving up")
        @Default("5")
        @Range(min = 0)
        int maxSkipped,
    @Doc("adapters with fewer training examples are not trained") @Default("1") @Range(min = 1)
        int minExamples,
    @Doc("several adapters in one pass") List<AdapterData> adapters,
    @Doc("where runs are recorded") TrackingPlan tracking) {

  /** One adapter of several. */
  public record AdapterData(
      @Doc("its directory below the output") String name,
      @Doc("JSONL") Path data,
      @Doc("a PEFT directory to go on from") @Nullable Path initAdapter) {}

  /** What becomes of an example longer than {@code max_length}. */
  public enum TooLong {
    DROP,
    /** Keeps the end, where the answer is. */
    CUT_LEFT,
    REFUSE
  }

  public TrainPlan {
    List<String> problems = new ArrayList<>();
    targets = List.copyOf(targets);
    adapters = List.copyOf(adapters);
    if (targets.isEmpty()) {
      problems.add("targets: expected names, a regular expression or all-linear; found none");
    }
    if (steps != null && steps < 1) {
      problems.add("steps: must be at least 1, found " + steps);
    }
    if (!microTokens.equals("auto") && !microTokens.matches("[1-9][0-9]{1,6}")) {
      problems.add(
          "micro_tokens: expected auto or a number of at least 10, found '" + microTokens + "'");
    }
    if (!device.matches("auto|cpu|(gpu|cuda)(:[0-9]+)?")) {
      problems.add("device: expected auto, cpu or gpu:N, found '" + device + "'");
    }
    if (!Set.of("float32", "bfloat16").contains(dtype)) {
      problems.add("dtype: expected float32 or bfloat16, found '" + dtype + "'");
    }
    Set<String> names = new TreeSet<>();
    for (AdapterData adapter : adapters) {
      if (!adapter.name().matches("[A-Za-z0-9][A-Za-z0-9._-]*") || !names.add(adapter.name())) {
        problems.add(
            "adapters: names must be different and of letters, digits, '.', '_', '-'; found '"
                + adapter.name()
                + "'");
      }
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  AdapterConfig adapterConfig(@Nullable String base) {
    return new AdapterConfig(
        rank,
        alpha,
        rslora ? AdapterConfig.Scaling.ROOT_OF_RANK : AdapterConfig.Scaling.RANK,
        rankPattern,
        alphaPattern,
        adapterTargets(),
        dropout,
        base);
  }

  private AdapterConfig.Targets adapterTargets() {
    if (targets.equals(List.of("all-linear"))) {
      return new AdapterConfig.Targets.AllLinear();
    }
    if (targets.size() == 1 && !targets.get(0).matches("[A-Za-z0-9_.]+")) {
      return new AdapterConfig.Targets.Regex(targets.get(0));
    }
    return new AdapterConfig.Targets.Names(targets);
  }

  Compute compute() {
    String where = device.equals("auto") ? Kernels.bestDevice() : device;
    int count = workers > 0 ? workers : Runtime.getRuntime().availableProcessors();
    return Compute.of(where, DType.parse(dtype), where.equals("cpu") ? count : 1);
  }

  /** Tokens of a micro-batch as planned; 0 for auto. */
  int fixedMicroTokens() {
    if (!packing) {
      return 1;
    }
    return microTokens.equals("auto") ? 0 : Integer.parseInt(microTokens);
  }

  /**
   * @param rows of a micro-batch at most
   */
  LoopPlan loop(int rows) {
    return new LoopPlan(
        learningRate,
        schedule,
        warmupSteps,
        new AdamW(beta1, beta2, epsilon, weightDecay, maxGradNorm),
        rows,
        dropout,
        checkpointEvery,
        activationCheckpointing,
        maxSkipped,
        validateEvery > 0
            ? validateEvery
            : patience > 0 || validationFraction > 0 ? LoopPlan.EACH_EPOCH : LoopPlan.NEVER,
        patience,
        seed);
  }
}
