/**
 * Import: anybody's logs as scrubbed interactions, and what could not be understood in quarantine.
 */
@NullMarked
package io.knack.spark.imports;

import org.jspecify.annotations.NullMarked;
