@NullMarked
package io.knack.contracts;

import org.jspecify.annotations.NullMarked;
