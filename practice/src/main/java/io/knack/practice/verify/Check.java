package io.knack.practice.verify;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One answer to be checked.
 *
 * @param problem the last thing the user said
 * @param answer everything the model wrote; verifiers find the conclusion in it themselves
 * @param reference the known right answer, where there is one
 * @param earlier the answers given to the same problem before this one, in order
 */
public record Check(
    String problem, String answer, @Nullable String reference, List<String> earlier) {
  public Check {
    earlier = List.copyOf(earlier);
  }

  public Check(String problem, String answer, @Nullable String reference) {
    this(problem, answer, reference, List.of());
  }
}
