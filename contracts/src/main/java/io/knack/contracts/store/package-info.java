/**
 * Where things lie in a workspace, and how they are written so that a kill at any moment leaves the
 * old state or the new.
 */
@NullMarked
package io.knack.contracts.store;

import org.jspecify.annotations.NullMarked;
