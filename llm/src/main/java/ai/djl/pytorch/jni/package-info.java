/** One bridge to DJL's native entry points. */
@NullMarked
package ai.djl.pytorch.jni;

import org.jspecify.annotations.NullMarked;
