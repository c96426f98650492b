/** Hugging Face checkpoint directories: configuration and safetensors files. */
@NullMarked
package io.knack.llm.checkpoint;

import org.jspecify.annotations.NullMarked;
