package io.knack.contracts;

import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of the append-only ledger.
 *
 * @param sequence position in the ledger, from 1, without gaps
 * @param rule the rule as it stands after the event; null where the kind needs none
 * @param other the rule that superseded it or that it was merged into
 */
public record RuleEvent(
    long sequence,
    RunId run,
    Instant at,
    Kind kind,
    RuleId ruleId,
    @Nullable Rule rule,
    @Nullable RuleId other,
    List<ExampleId> evidence,
    String reason) {

  /** What can happen to a rule. */
  public enum Kind {
    ADDED,
    SUPERSEDED,
    MERGED,
    RETIRED,
    RESTORED,
    HELPED,
    HARMED
  }

  public RuleEvent {
    evidence = List.copyOf(evidence);
  }
}
