package io.knack.contracts;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/** What the gate decided, and the rule that decided. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "decision")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Verdict.Promote.class, name = "promote"),
  @JsonSubTypes.Type(value = Verdict.Hold.class, name = "hold"),
  @JsonSubTypes.Type(value = Verdict.Insufficient.class, name = "insufficient")
})
public sealed interface Verdict {
  /** The rule of the policy that decided, in words. */
  String rule();

  /** Proved cheaper at non-inferior accuracy. */
  record Promote(String rule) implements Verdict {}

  /** Shown not to be worth it, or harmful. */
  record Hold(String rule) implements Verdict {}

  /**
   * Not settled.
   *
   * @param problemsNeeded how many problems in all would settle it, if what was seen goes on
   */
  record Insufficient(String rule, long problemsNeeded) implements Verdict {}
}
