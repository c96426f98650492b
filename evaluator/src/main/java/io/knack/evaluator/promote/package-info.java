/**
 * Hands what has earned it to the serving tier: linted, immutable, journalled, and one manifest at
 * a time.
 */
@NullMarked
package io.knack.evaluator.promote;

import org.jspecify.annotations.NullMarked;
