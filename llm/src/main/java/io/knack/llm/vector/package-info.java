/** A decode step on a CPU in vector instructions: arithmetic and the threads that share it. */
@NullMarked
package io.knack.llm.vector;

import org.jspecify.annotations.NullMarked;
