/** Plans: strict YAML and {@code --set} into records, with every problem told at once. */
@NullMarked
package io.knack.contracts.plan;

import org.jspecify.annotations.NullMarked;
