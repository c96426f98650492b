@NullMarked
package io.knack.contracts.stage;

import org.jspecify.annotations.NullMarked;
