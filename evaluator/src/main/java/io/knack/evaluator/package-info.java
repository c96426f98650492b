@NullMarked
package io.knack.evaluator;

import org.jspecify.annotations.NullMarked;
