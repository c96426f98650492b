/** A language model behind an OpenAI-compatible endpoint. */
@NullMarked
package io.knack.llm.http;

import org.jspecify.annotations.NullMarked;
