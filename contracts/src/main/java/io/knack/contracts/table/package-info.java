@NullMarked
package io.knack.contracts.table;

import org.jspecify.annotations.NullMarked;
