/** LoRA adapters in PEFT's directory format. */
@NullMarked
package io.knack.llm.lora;

import org.jspecify.annotations.NullMarked;
