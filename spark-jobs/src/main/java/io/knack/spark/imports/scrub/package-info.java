/** Takes personal data and secrets out of text before anything is written. */
@NullMarked
package io.knack.spark.imports.scrub;

import org.jspecify.annotations.NullMarked;
