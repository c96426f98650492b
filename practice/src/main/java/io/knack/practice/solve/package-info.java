/** Solvers with an adaptive budget. */
@NullMarked
package io.knack.practice.solve;

import org.jspecify.annotations.NullMarked;
