@NullMarked
package io.knack.tracking;

import org.jspecify.annotations.NullMarked;
