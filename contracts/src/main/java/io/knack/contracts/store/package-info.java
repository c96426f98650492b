@NullMarked
package io.knack.contracts.store;

import org.jspecify.annotations.NullMarked;
