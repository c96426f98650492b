@NullMarked
package io.knack.consolidation;

import org.jspecify.annotations.NullMarked;
