/** The page that people read: one file, no network, every text escaped. */
@NullMarked
package io.knack.evaluator.report;

import org.jspecify.annotations.NullMarked;
