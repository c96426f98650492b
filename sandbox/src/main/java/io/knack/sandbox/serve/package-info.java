/** Simulated serving: the world's traffic, answered by the model, logged as a gateway would. */
@NullMarked
package io.knack.sandbox.serve;

import org.jspecify.annotations.NullMarked;
