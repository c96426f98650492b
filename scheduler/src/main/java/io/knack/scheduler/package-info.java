@NullMarked
package io.knack.scheduler;

import org.jspecify.annotations.NullMarked;
