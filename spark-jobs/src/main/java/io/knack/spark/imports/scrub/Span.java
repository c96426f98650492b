package io.knack.spark.imports.scrub;

/**
 * A piece of text that must not be kept.
 *
 * @param kind names the placeholder, as {@code EMAIL}
 * @param start first character
 * @param end behind the last character
 */
record Span(String kind, int start, int end) {}
