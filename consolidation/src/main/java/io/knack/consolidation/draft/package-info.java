/** What a model proposes as a rule, and why it may be refused. */
@NullMarked
package io.knack.consolidation.draft;

import org.jspecify.annotations.NullMarked;
