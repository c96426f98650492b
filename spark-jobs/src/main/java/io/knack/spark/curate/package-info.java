/**
 * Curate: from clusters to what is learnt from, what is practised on, and what judges. Splits are
 * by time and made before anything learns.
 */
@NullMarked
package io.knack.spark.curate;

import org.jspecify.annotations.NullMarked;
