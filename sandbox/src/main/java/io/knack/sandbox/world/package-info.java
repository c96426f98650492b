/**
 * The shop: its word problems, its house rules, and the traffic that its customers make. Pure Java,
 * everything a function of a seed.
 */
@NullMarked
package io.knack.sandbox.world;

import org.jspecify.annotations.NullMarked;
