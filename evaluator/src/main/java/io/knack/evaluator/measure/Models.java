package io.knack.evaluator.measure;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.LanguageModel;
import java.nio.file.Path;
import java.util.Map;

/** Opens the model that a plan names. */
public final class Models {
  private Models() {}

  /**
   * @throws PlanException when the plan names neither a directory nor an endpoint
   */
  public static LanguageModel open(EvaluatePlan plan, Map<String, Path> adapters) {
    throw new PlanException("model: name a checkpoint directory, or an endpoint");
  }
}
