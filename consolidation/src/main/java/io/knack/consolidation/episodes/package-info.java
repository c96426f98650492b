/** Solved problems that serve in a prompt. */
@NullMarked
package io.knack.consolidation.episodes;

import org.jspecify.annotations.NullMarked;
