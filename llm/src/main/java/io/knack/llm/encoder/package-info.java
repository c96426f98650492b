/**
 * Sentence vectors from encoders of the BERT family.
 *
 * <p>Shapes: B texts, T tokens of the longest of them, d hidden size, h heads, k = d / h.
 */
@NullMarked
package io.knack.llm.encoder;

import org.jspecify.annotations.NullMarked;
