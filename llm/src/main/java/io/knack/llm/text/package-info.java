/** Text to token ids and back, and conversations to text by a checkpoint's own template. */
@NullMarked
package io.knack.llm.text;

import org.jspecify.annotations.NullMarked;
