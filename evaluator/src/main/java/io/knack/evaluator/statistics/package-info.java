/**
 * Tests that may be looked at after every row.
 *
 * <p>Legend: E an e-process, a non-negative process that starts at 1 and has expectation at most 1
 * at any stopping time while its null hypothesis holds; by Ville's inequality it ever reaches
 * 1/alpha with probability at most alpha. y a bounded row whose mean is at most 0 under the null;
 * lambda the bet placed before the row is seen; E_t = prod(1 + lambda_i y_i).
 *
 * <p>Sources: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"
 * (JRSS B, 2024); Ramdas, Gruenwald, Vovk and Shafer, "Game-theoretic statistics and safe
 * anytime-valid inference" (2023); Wang and Ramdas, "False discovery rate control with e-values"
 * (JRSS B, 2022); Xu and Ramdas, "Online multiple testing with e-values" (2023); Fischer, Xu and
 * Ramdas, online e-BH (arXiv 2407.20683).
 */
@NullMarked
package io.knack.evaluator.statistics;

import org.jspecify.annotations.NullMarked;
