/**
 * The system from outside: verbs through the launcher, each in a process of its own, on what this
 * build has packaged. Runs in the phase {@code integration-test}.
 */
@NullMarked
package io.knack.sandbox.whole;

import org.jspecify.annotations.NullMarked;
