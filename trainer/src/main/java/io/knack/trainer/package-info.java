@NullMarked
package io.knack.trainer;

import org.jspecify.annotations.NullMarked;
