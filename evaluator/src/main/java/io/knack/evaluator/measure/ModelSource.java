package io.knack.evaluator.measure;

import io.knack.llm.LanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Opens the model that answers, with tonight's adapters at hand. */
@FunctionalInterface
public interface ModelSource {
  /**
   * @param adapters PEFT directories by the name that requests call them
   */
  LanguageModel open(EvaluatePlan plan, Map<String, Path> adapters) throws IOException;
}
