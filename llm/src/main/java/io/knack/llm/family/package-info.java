/** Decoder families: each file reads one family's config.json and names its tensors. */
@NullMarked
package io.knack.llm.family;

import org.jspecify.annotations.NullMarked;
