package io.knack.contracts.store;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What a stage can hand on. One directory below {@code HOME/artifacts} for each kind. */
public enum ArtifactKind {
  /**
   * Tables {@code interactions} (by day) and {@code quarantine}. A delta: the table is the chain.
   */
  INTERACTIONS,
  /** Tables {@code clusters} and {@code members}, and what mining needs tomorrow. */
  CLUSTERS,
  /** Tables {@code examples} and {@code evidence}. */
  CURRICULUM,
  /** One PEFT directory per cluster. */
  ADAPTERS,
  /** {@code rules.json}, {@code RULES.md} and the ledger. */
  RULES,
  /** Table {@code episodes}. */
  EPISODES,
  /** {@code report.json}, {@code report.html} and the table {@code trials}. */
  EVALUATION;

  @JsonValue
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }
}
