@NullMarked
package io.knack.sandbox;

import org.jspecify.annotations.NullMarked;
