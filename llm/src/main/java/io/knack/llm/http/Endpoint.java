package io.knack.llm.http;

import io.knack.contracts.plan.HttpAddress;
import io.knack.contracts.stage.PlanException;
import java.util.ArrayList;
import java.util.List;

/**
 * A model behind an OpenAI-compatible endpoint: vLLM, llama.cpp's server, Ollama, a hosted service.
 *
 * @param address up to and with the version, such as {@code http://localhost:8000/v1}
 * @param model its name there
 */
public record Endpoint(String address, String model, EndpointCalls calls) {
  public Endpoint {
    List<String> problems = new ArrayList<>();
    HttpAddress.problem(address).ifPresent(problem -> problems.add("endpoint: " + problem));
    if (model.isBlank()) {
      problems.add("the model's name at the endpoint must not be blank");
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
