package io.knack.consolidation.draft;

import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.id.RuleId;

/**
 * A rule as a model proposed it: data, until it has been checked and replayed.
 *
 * @param when empty when it always applies
 * @param scope empty for the whole cluster
 */
public record Draft(String when, String then, String scope) {
  /** As it would enter a prompt. */
  public RuleText text(RuleId id) {
    return new RuleText(id, when, then);
  }

  /** All of it, as one text. */
  public String words() {
    return (when + " " + then + " " + scope).strip();
  }
}
