package io.knack.consolidation.reflect;

import io.knack.consolidation.ledger.Upkeep;
import io.knack.contracts.PriceBook;
import io.knack.contracts.plan.Address;
import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.http.EndpointCalls;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How rules are learnt, replayed and kept. */
public record ReflectPlan(
    @Doc("checkpoint directory of the model that reflects and replays") @Nullable Path model,
    @Doc("OpenAI-compatible endpoint, used where there is no directory") @Address
        @Nullable String endpoint,
    @Doc("the model's name at the endpoint") @Nullable String endpointModel,
    @Doc("how the endpoint is asked") EndpointCalls calls,
    @Doc("reflect, multi_case, update") @Default("[reflect, multi_case, update]") List<Way> ways,
    @Doc("how drafts are asked for") Drafting drafting,
    @Doc("how drafts are replayed before they are kept") Replaying replaying,
    @Doc("method of the replay") @Default("best_of_n") String method,
    @Doc("budget of the replay; its form is the form of all prompts") SolverOptions solver,
    @Doc("turns tokens, samples and checks into one cost") PriceBook prices,
    @Doc("how rules are forgotten") Upkeep upkeep,
    @Doc("let all tenants use what one tenant's problems taught") @Default("false")
        boolean shareAcrossTenants,
    @Default("1") long seed) {

  /** How drafts are asked for. */
  public record Drafting(
      @Default("8") @Range(min = 1, max = 64) @Doc("cases of a cluster at most, the newest first")
          int cases,
      @Default("3") @Range(min = 1, max = 16) @Doc("attempts shown of a case at most") int attempts,
      @Default("4") @Range(min = 1, max = 64) @Doc("multi_case: cases shown together at most")
          int together,
      @Default("6") @Range(min = 1, max = 64) @Doc("multi_case: replies asked for") int samples,
      @Default("0.7") @Range(min = 0, max = 2) double temperature,
      @Default("300") @Range(min = 8, max = 8192) @Doc("tokens of a reply at most") int replyTokens,
      @Default("3") @Range(min = 1, max = 16) @Doc("rules of one reply at most") int maxRules,
      @Default("400") @Range(min = 20, max = 4000) @Doc("characters of one rule at most")
          int maxCharacters) {}

  /** How drafts are replayed. */
  public record Replaying(
      @Default("20") @Range(min = 1, max = 1000) @Doc("validation problems of a cluster at most")
          int problems,
      @Default("4") @Range(min = 1, max = 1000) @Doc("fewer than this tell nothing") int least,
      @Default("8")
          @Range(min = 0, max = 1000)
          @Doc("problems of other clusters that look like this one's, at most")
          int others,
      @Default("0.05") @Range(min = 0, max = 1) @Doc("share of the cost that a rule must save")
          double leastSaving,
      @Default("1.64")
          @Range(min = 0, max = 10)
          @Doc("the saving must be this many standard errors from nothing")
          double confidence,
      @Default("0")
          @Range(min = 0, max = 1000)
          @Doc("problems solved without a rule that may fail with it, when it is to enter")
          int lost,
      @Default("24")
          @Range(min = 1, max = 1000)
          @Doc("drafts of a way and cluster that are screened at most: one answer a problem")
          int screened,
      @Default("3")
          @Range(min = 0, max = 16)
          @Doc("rounds in which the best draft is screened with other numbers of the evidence")
          int crossings,
      @Default("12") @Range(min = 1, max = 1000) @Doc("variants of a round at most") int variants,
      @Default("2")
          @Range(min = 1, max = 64)
          @Doc("drafts of a way and cluster that are replayed, the best of the screening")
          int drafts) {}

  public ReflectPlan {
    List<String> problems = new ArrayList<>();
    if (!Solvers.names().contains(method)) {
      problems.add(
          "method: no solver is called '" + method + "'; choose one of " + Solvers.names());
    }
    if (ways.isEmpty()) {
      problems.add("ways: found none, expected at least one of reflect, multi_case, update");
    }
    if (replaying.least() > replaying.problems()) {
      problems.add(
          "replaying.least: found "
              + replaying.least()
              + ", expected at most replaying.problems, "
              + replaying.problems());
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
    ways = List.copyOf(ways);
  }
}
