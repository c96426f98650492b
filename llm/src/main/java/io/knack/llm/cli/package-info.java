/** The command line of the language model. */
@NullMarked
package io.knack.llm.cli;

import org.jspecify.annotations.NullMarked;
