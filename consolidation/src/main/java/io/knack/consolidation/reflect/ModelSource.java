package io.knack.consolidation.reflect;

import io.knack.llm.LanguageModel;
import java.io.IOException;

/** Opens the model that reflects and replays. */
@FunctionalInterface
public interface ModelSource {
  LanguageModel open(ReflectPlan plan) throws IOException;
}
