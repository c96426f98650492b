package io.knack.contracts;

/**
 * An input line that could not be understood, kept by its digest, never by its text.
 *
 * @param source file name as given, relative to the input root
 * @param line 1-based; 0 where the source has no lines
 * @param byteOffset of the line's first byte in the uncompressed source
 * @param rawDigest sha256 of the raw line, in hex
 */
public record Quarantined(
    String source, long line, long byteOffset, String reason, String rawDigest) {}
