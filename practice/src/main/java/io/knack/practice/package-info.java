@NullMarked
package io.knack.practice;

import org.jspecify.annotations.NullMarked;
