package io.knack.practice.verify;

import io.knack.contracts.VerifierSpec;
import io.knack.llm.LanguageModel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Makes verifiers of their specs. */
public final class Verifiers {
  private Verifiers() {}

  /** A verifier that needs no language model. */
  public static Verifier of(VerifierSpec spec) {
    return of(spec, Path.of("").toAbsolutePath(), null);
  }

  /**
   * @param directory where a command runs, and where relative paths in options start
   * @param judge the model that {@code judge} asks; null for none
   * @throws io.knack.contracts.stage.PlanException naming every unknown kind or option
   */
  public static Verifier of(VerifierSpec spec, Path directory, @Nullable LanguageModel judge) {
    throw new UnsupportedOperationException("written next: " + spec + directory + judge);
  }
}
