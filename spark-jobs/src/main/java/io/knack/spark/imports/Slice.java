package io.knack.spark.imports;

import java.io.IOException;
import java.io.InputStream;
import java.io.Serial;
import java.io.Serializable;
import java.nio.file.Files;

/**
 * A part of a file that one task reads: the lines that begin in it.
 *
 * @param end {@link Long#MAX_VALUE} for the rest of the file
 * @param newlinesBefore in the bytes before {@code start}
 */
record Slice(InputFile file, long start, long end, long newlinesBefore) implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  static Slice whole(InputFile file) {
    return new Slice(file, 0, Long.MAX_VALUE, 0);
  }

  Slice after(long newlines) {
    return new Slice(file, start, end, newlines);
  }

  /** Line ends in its bytes. */
  long newlines() throws IOException {
    long count = 0;
    long left = end - start;
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file.file())) {
      in.skipNBytes(start);
      for (int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
          n > 0;
          n = in.read(buffer, 0, (int) Math.min(left, buffer.length))) {
        for (int i = 0; i < n; i++) {
          if (buffer[i] == '\n') {
            count++;
          }
        }
        left -= n;
      }
    }
    return count;
  }
}
