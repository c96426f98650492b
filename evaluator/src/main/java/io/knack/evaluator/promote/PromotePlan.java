package io.knack.evaluator.promote;

import io.knack.contracts.plan.Address;
import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How promoted memory reaches the serving tier. */
public record PromotePlan(
    @Doc(
            "vLLM servers that load adapters at run time, such as http://gpu-1:8000; none for files alone")
        @Address
        List<String> replicas,
    @Doc("HOME/serving/adapters as the replicas see it; null where they see the same path")
        @Nullable String servedPath,
    @Doc("environment variable that holds the replicas' API key; unset means no key")
        @Default("VLLM_API_KEY")
        String keyVariable,
    @Doc("longest wait for one answer of a replica") @Default("60s") Duration timeout,
    @Doc("unload adapters that the new manifest does not name") @Default("true") boolean unload,
    @Doc("what the target can serve") Target target) {

  /** What the target can serve. */
  public record Target(
      @Doc("vLLM's --max-lora-rank: 1, 8, 16, 32, 64, 128, 256, 320 or 512")
          @Default("64")
          @Range(min = 1, max = 512)
          int maxRank,
      @Doc("serves DoRA, modules_to_save and biases (vLLM and llama.cpp do not)") @Default("false")
          boolean beyondPlainLora,
      @Doc("megabytes of one adapter at most") @Default("1024") @Range(min = 1) int maxMegabytes,
      @Doc("largest Frobenius norm of scale * B A of one module") @Default("1000") @Range(min = 0)
          double maxNorm) {}

  /** Files alone, default limits. */
  public static final PromotePlan FILES =
      new PromotePlan(
          List.of(),
          null,
          "VLLM_API_KEY",
          Duration.ofSeconds(60),
          true,
          new Target(64, false, 1024, 1000));

  public PromotePlan {
    replicas = List.copyOf(replicas);
    List<String> problems = new ArrayList<>();
    if (timeout.isNegative() || timeout.isZero()) {
      problems.add("timeout: must be positive, found " + timeout);
    }
    if (!List.of(1, 8, 16, 32, 64, 128, 256, 320, 512).contains(target.maxRank())) {
      problems.add(
          "target.max_rank: vLLM takes 1, 8, 16, 32, 64, 128, 256, 320 or 512, found "
              + target.maxRank());
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  PromotePlan withReplicas(List<String> addresses) {
    return new PromotePlan(addresses, servedPath, keyVariable, timeout, unload, target);
  }
}
