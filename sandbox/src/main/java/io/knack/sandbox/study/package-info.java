/** The grid of methods, memories and similarity levels, on the shop or on any problem set. */
@NullMarked
package io.knack.sandbox.study;

import org.jspecify.annotations.NullMarked;
