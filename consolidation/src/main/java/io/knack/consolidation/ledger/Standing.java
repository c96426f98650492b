package io.knack.consolidation.ledger;

import io.knack.contracts.Rule;
import java.time.Instant;

/**
 * Where a rule stands.
 *
 * @param usefulAt when it was last seen to help, or learnt
 */
public record Standing(Rule rule, boolean live, Instant usefulAt) {}
