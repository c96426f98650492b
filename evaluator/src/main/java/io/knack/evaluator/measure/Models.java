package io.knack.evaluator.measure;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.LanguageModel;
import io.knack.llm.http.Endpoint;
import io.knack.llm.http.HttpModel;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import java.nio.file.Path;
import java.util.Map;

/** Opens the model that a plan names. */
public final class Models {
  private Models() {}

  /**
   * The checkpoint directory where there is one, with the adapters loaded; else the endpoint.
   *
   * @throws PlanException when the plan names neither
   */
  public static LanguageModel open(EvaluatePlan plan, Map<String, Path> adapters) {
    if (plan.model() != null) {
      LocalModel model = LocalModel.load(plan.model(), LocalOptions.defaults());
      adapters.forEach(model::loadAdapter);
      return model;
    }
    if (plan.endpoint() != null) {
      return HttpModel.open(new Endpoint(plan.endpoint(), plan.servedName(), plan.calls()));
    }
    throw new PlanException(
        "model: name a checkpoint directory, or an endpoint; --set model=DIR does");
  }
}
