@NullMarked
package io.knack.contracts.plan;

import org.jspecify.annotations.NullMarked;
