/** The verbs that look: tables, artifacts, runs, and the machine itself. */
@NullMarked
package io.knack.contracts.show;

import org.jspecify.annotations.NullMarked;
