/** The TorchScript kernels and how Java calls them. */
@NullMarked
package io.knack.llm.kernel;

import org.jspecify.annotations.NullMarked;
