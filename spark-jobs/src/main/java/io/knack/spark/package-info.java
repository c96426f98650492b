@NullMarked
package io.knack.spark;

import org.jspecify.annotations.NullMarked;
