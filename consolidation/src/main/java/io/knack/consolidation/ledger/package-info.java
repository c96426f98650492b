/** What became of every rule, as events that are only ever added. */
@NullMarked
package io.knack.consolidation.ledger;

import org.jspecify.annotations.NullMarked;
