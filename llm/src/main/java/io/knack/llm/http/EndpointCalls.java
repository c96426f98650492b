package io.knack.llm.http;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How an OpenAI-compatible endpoint is asked: what it can bear, and for how long one waits. Plans
 * that hold it go to Spark's executors.
 */
public record EndpointCalls(
    @Doc("environment variable that holds the API key; unset means no key")
        @Default("OPENAI_API_KEY")
        String keyVariable,
    @Doc("requests under way at once") @Default("8") @Range(min = 1, max = 1024) int concurrency,
    @Doc("longest wait for one whole answer") @Default("120s") Duration timeout,
    @Doc("tries of one request, the first included") @Default("6") @Range(min = 1, max = 100)
        int attempts,
    @Doc("wait before the second try; doubles from try to try") @Default("500ms") Duration backOff,
    @Doc("longest wait between tries; a server that asks for more ends the run") @Default("60s")
        Duration longestBackOff,
    @Doc("prompt and completion together, in tokens; 0 when unknown") @Default("0") @Range(min = 0)
        int maxContext)
    implements Serializable {

  public EndpointCalls {
    List<String> problems = new ArrayList<>();
    if (keyVariable.isBlank()) {
      problems.add("key_variable: expected the name of an environment variable, found ''");
    }
    positive("timeout", timeout, problems);
    positive("back_off", backOff, problems);
    positive("longest_back_off", longestBackOff, problems);
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  private static void positive(String field, Duration value, List<String> problems) {
    if (value.isNegative() || value.isZero()) {
      problems.add(field + ": must be positive, found " + value);
    }
  }
}
