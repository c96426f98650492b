@NullMarked
package io.knack.llm;

import org.jspecify.annotations.NullMarked;
