package io.knack.contracts.plan;

import io.knack.contracts.stage.PlanException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A key or token that a server wants, from the environment: plans hold the variable's name. */
public final class KeyVariable {
  private KeyVariable() {}

  /**
   * The key, fit for a header.
   *
   * @return without white space around it, which files of variables leave there; null when there is
   *     no key
   * @throws PlanException when it cannot go into a header; its message does not show the key
   */
  public static @Nullable String read(String variable, Map<String, String> environment) {
    String key = environment.getOrDefault(variable, "").strip();
    if (!key.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
      throw new PlanException(
          "the variable "
              + variable
              + " holds no key: it has blanks, control characters or letters beyond ASCII inside;"
              + " set it again without them");
    }
    return key.isEmpty() ? null : key;
  }
}
