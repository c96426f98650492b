package io.knack.llm.http;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An OpenAI-compatible endpoint: vLLM, llama.cpp's server, Ollama, a hosted service. */
public record EndpointPlan(
    @Doc("address up to and with the version, such as http://localhost:8000/v1") String endpoint,
    @Doc("the model's name there") String model,
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
        int maxContext) {

  public EndpointPlan {
    List<String> problems = new ArrayList<>();
    try {
      URI uri = URI.create(endpoint);
      if (uri.getHost() == null || !List.of("http", "https").contains(uri.getScheme())) {
        problems.add("endpoint: expected an http or https address, found '" + endpoint + "'");
      } else if (uri.getUserInfo() != null) {
        problems.add("endpoint: must not carry a password; name a variable in key_variable");
      }
    } catch (IllegalArgumentException e) {
      problems.add("endpoint: expected an http or https address, found '" + endpoint + "'");
    }
    if (model.isBlank()) {
      problems.add("model: must not be blank");
    }
    for (Duration duration : List.of(timeout, backOff, longestBackOff)) {
      if (duration.isNegative() || duration.isZero()) {
        problems.add("timeout, back_off, longest_back_off: must be positive, found " + duration);
      }
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  /** With every default. */
  public static EndpointPlan of(String endpoint, String model) {
    return new EndpointPlan(
        endpoint,
        model,
        "OPENAI_API_KEY",
        8,
        Duration.ofSeconds(120),
        6,
        Duration.ofMillis(500),
        Duration.ofSeconds(60),
        0);
  }
}
