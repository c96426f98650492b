@NullMarked
package io.knack.contracts.cli;

import org.jspecify.annotations.NullMarked;
