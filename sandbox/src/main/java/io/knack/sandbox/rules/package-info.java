/** A trial of rules over many policies: logs, nights of reflection, later problems. */
@NullMarked
package io.knack.sandbox.rules;

import org.jspecify.annotations.NullMarked;
