/** Identifiers, a type each, so that none is taken for another. */
@NullMarked
package io.knack.contracts.id;

import org.jspecify.annotations.NullMarked;
