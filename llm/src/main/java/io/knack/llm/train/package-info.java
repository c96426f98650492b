/**
 * Gradients of a decoder: forward and backward pass over packed sequences, for LoRA over frozen
 * weights and for all weights.
 *
 * <p>Symbols: T rows (tokens) of a micro-batch, d width, H heads of D dimensions, KV key and value
 * heads, F width of the feed-forward layer, V vocabulary, R ranks of a group of projections, K
 * adapters, N numbers of one adapter.
 */
@NullMarked
package io.knack.llm.train;

import org.jspecify.annotations.NullMarked;
