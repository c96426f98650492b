/**
 * Paired measurement: which memories there are, when they fire, which one is best for a cluster,
 * and what the chosen ones save on problems that nothing has seen.
 */
@NullMarked
package io.knack.evaluator.measure;

import org.jspecify.annotations.NullMarked;
