/** {@code forget}: a person's data leaves the workspace for good, and what learnt from it too. */
@NullMarked
package io.knack.contracts.erasure;

import org.jspecify.annotations.NullMarked;
