package io.knack.consolidation.reflect;

import java.util.Locale;

/** How rules are distilled from cases (SpeedupLLM's three reflective memories). */
public enum Way {
  /** One case at a time. */
  REFLECT,
  /** Several cases together, failures beside successes. */
  MULTI_CASE,
  /** A running reflection, revised with each new case. */
  UPDATE;

  /** As rules name it. */
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
