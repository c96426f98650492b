package io.knack.practice.verify;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.LanguageModel;
import io.knack.llm.http.Endpoint;
import io.knack.llm.http.EndpointCalls;
import io.knack.llm.http.HttpModel;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Opens the model that judges, for stages that need no model for anything else. */
public final class JudgeModels {
  private JudgeModels() {}

  /**
   * The checkpoint directory where there is one, else the endpoint.
   *
   * @throws PlanException when neither is named
   */
  public static LanguageModel open(
      @Nullable String directory,
      @Nullable String endpoint,
      @Nullable String endpointModel,
      EndpointCalls calls) {
    if (directory != null) {
      return LocalModel.load(Path.of(directory), LocalOptions.defaults());
    }
    if (endpoint != null && endpointModel != null) {
      return HttpModel.open(new Endpoint(endpoint, endpointModel, calls));
    }
    throw new PlanException(
        "a judge needs a model: set model to a checkpoint directory, or endpoint and"
            + " endpoint_model");
  }
}
