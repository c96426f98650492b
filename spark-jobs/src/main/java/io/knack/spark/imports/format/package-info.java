/** One reader for each kind of log, from JSON records to drafts of interactions. */
@NullMarked
package io.knack.spark.imports.format;

import org.jspecify.annotations.NullMarked;
