/** The recipe of the sandbox's base model: its tokenizer, its mixture of texts, its training. */
@NullMarked
package io.knack.sandbox.base;

import org.jspecify.annotations.NullMarked;
