package io.knack.llm.text.jinja;

import java.time.Duration;

/**
 * What one rendering may use.
 *
 * @param steps statements and expressions evaluated, and what they touch: an element or 64
 *     characters are a step
 * @param characters of the output, and of any single string made on the way; all together are
 *     bounded by 16 times that
 * @param elements of any list made on the way; all together are bounded by 80 times that
 * @param depth of nested calls and nested syntax
 */
public record Limits(long steps, int characters, int elements, int depth, Duration time) {
  public static final Limits DEFAULT =
      new Limits(20_000_000, 16_000_000, 100_000, 100, Duration.ofSeconds(10));
}
