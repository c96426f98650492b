/**
 * The arithmetic over the JDK's incubating vector module. Compiled on its own, since the compiler
 * warns of incubating modules and cannot be told not to.
 */
@NullMarked
package io.knack.llm.vector.jdk;

import org.jspecify.annotations.NullMarked;
