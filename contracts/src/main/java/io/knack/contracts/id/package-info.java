@NullMarked
package io.knack.contracts.id;

import org.jspecify.annotations.NullMarked;
