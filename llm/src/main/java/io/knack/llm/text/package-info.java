/** Text to token ids and back. */
@NullMarked
package io.knack.llm.text;

import org.jspecify.annotations.NullMarked;
