/** The language model in this process: weights, cache, continuous batch. */
@NullMarked
package io.knack.llm.local;

import org.jspecify.annotations.NullMarked;
