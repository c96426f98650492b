/** The grid of methods, memories and similarity levels, as in the SpeedupLLM paper. */
@NullMarked
package io.knack.evaluator.study;

import org.jspecify.annotations.NullMarked;
