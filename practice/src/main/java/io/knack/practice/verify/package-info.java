/** Verifiers: what says whether an answer is right. */
@NullMarked
package io.knack.practice.verify;

import org.jspecify.annotations.NullMarked;
