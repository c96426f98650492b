/** Tables: Parquet without Spark, derived from records. */
@NullMarked
package io.knack.contracts.table;

import org.jspecify.annotations.NullMarked;
