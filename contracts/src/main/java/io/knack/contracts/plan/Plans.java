package io.knack.contracts.plan;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Plans are records, read from strict YAML. A key is the component's name in snake_case; an unknown
 * key is a problem with a "did you mean"; a missing key takes its {@link Default}, or null where
 * the component is nullable and has none. {@link Range} bounds are checked, then the record's own
 * compact constructor; all problems are reported at once in one {@link
 * io.knack.contracts.stage.PlanException}. Components may be numbers, booleans, strings, enums
 * (lower case), {@link java.time.Duration} ({@code 90s}, {@code 2h}), {@link Path}, lists, maps
 * with text keys, and records of the same.
 */
public final class Plans {
  private Plans() {}

  /**
   * @param file null for defaults
   * @param overrides {@code path.to.field=value}, the value as YAML
   */
  public static <P extends Record> P read(
      Class<P> type, @Nullable Path file, List<String> overrides) {
    throw new UnsupportedOperationException("written next");
  }

  /** Keys sorted, no white space: what a plan's digest is taken of. */
  public static String canonicalJson(Record plan) {
    throw new UnsupportedOperationException("written next");
  }
}
