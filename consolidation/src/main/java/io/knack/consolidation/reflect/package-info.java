/** From evidence to rules: reflection, replay, upkeep. */
@NullMarked
package io.knack.consolidation.reflect;

import org.jspecify.annotations.NullMarked;
