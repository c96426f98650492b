package io.knack.llm.text.jinja;

import org.jspecify.annotations.Nullable;

/**
 * What a missing name, key or index gives: empty when printed or iterated, false when tested, an
 * error when used in any other way.
 *
 * @param why completes an error message
 */
record Undefined(String why) {
  TemplateException used() {
    return TemplateException.value(why);
  }

  /** All of them are one and the same key of a mapping. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Undefined;
  }

  @Override
  public int hashCode() {
    return 1;
  }
}
