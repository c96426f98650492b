package io.knack.spark.imports;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * One record of a file, or why there is none.
 *
 * @param line 1-based; of an element of a document its number instead
 * @param offset of its first byte in the unpacked file
 * @param value null when there is a problem
 * @param problem null when there is a value
 * @param digest sha256 of the raw bytes
 */
record RawRecord(
    long line, long offset, @Nullable JsonNode value, @Nullable String problem, String digest) {
  static RawRecord of(long line, long offset, JsonNode value, String digest) {
    return new RawRecord(line, offset, value, null, digest);
  }

  static RawRecord broken(long line, long offset, String problem, String digest) {
    return new RawRecord(line, offset, null, problem, digest);
  }
}
