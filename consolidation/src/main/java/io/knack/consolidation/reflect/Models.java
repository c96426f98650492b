package io.knack.consolidation.reflect;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.LanguageModel;
import io.knack.llm.http.Endpoint;
import io.knack.llm.http.HttpModel;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;

/** Opens what a plan names: a checkpoint in this process, else an endpoint. */
public final class Models implements ModelSource {
  @Override
  public LanguageModel open(ReflectPlan plan) {
    if (plan.model() != null) {
      return LocalModel.load(plan.model(), LocalOptions.defaults());
    }
    if (plan.endpoint() != null && plan.endpointModel() != null) {
      return HttpModel.open(new Endpoint(plan.endpoint(), plan.endpointModel(), plan.calls()));
    }
    throw new PlanException(
        "reflect needs a model: set model to a checkpoint directory, or endpoint and"
            + " endpoint_model");
  }
}
