/**
 * What every Spark job here stands on: the one place where a session is built, contracts as rows,
 * tables of artifacts as data sets, and the digest of rows.
 */
@NullMarked
package io.knack.spark.frame;

import org.jspecify.annotations.NullMarked;
