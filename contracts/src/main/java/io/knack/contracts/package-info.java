/**
 * The records that flow between stages, one each for what {@code docs/contracts.md} lists, and the
 * verbs that show, explain and erase them.
 */
@NullMarked
package io.knack.contracts;

import org.jspecify.annotations.NullMarked;
