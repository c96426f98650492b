package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Draft;
import io.knack.contracts.id.ExampleId;
import java.util.List;

/**
 * Drafts of one reply, which stand or fall together.
 *
 * @param evidence the cases that the reply was given
 * @param votes how many replies said the same
 */
record Proposal(List<Draft> drafts, List<ExampleId> evidence, int votes) {
  Proposal {
    drafts = List.copyOf(drafts);
    evidence = List.copyOf(evidence);
  }
}
