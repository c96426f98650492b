package io.knack.spark.imports;

import io.knack.contracts.store.Digests;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Cuts bytes into lines, whatever they hold. A line that is too long is hashed and dropped, never
 * held. Damage of the packed data ends the lines with one that says so.
 */
final class Lines {
  static final String CUT_OFF =
      "file is damaged or cut off from here on; nothing behind it can be read";

  private final InputStream in;
  private final long maxBytes;
  private final long end;
  private final byte[] buffer = new byte[1 << 16];
  private int at;
  private int filled;
  private long offset;
  private long number;
  private boolean damaged;

  /**
   * @param in positioned at the first line's first byte
   * @param offset of that byte
   * @param number of that line, 1-based
   * @param end lines that begin at or behind this offset are left alone
   */
  Lines(InputStream in, long offset, long number, long end, long maxBytes) {
    this.in = in;
    this.offset = offset;
    this.number = number;
    this.end = end;
    this.maxBytes = maxBytes;
  }

  /**
   * One line.
   *
   * @param bytes without the line's end; null when there is a problem
   */
  @SuppressWarnings("ArrayRecordComponent") // lines are never compared by their bytes
  record Line(
      long number, long offset, byte @Nullable [] bytes, @Nullable String problem, String digest) {}

  /** The next line, blank ones too; null at the end. */
  @Nullable Line next() {
    if (damaged || offset >= end) {
      return null;
    }
    long start = offset;
    long length = 0;
    ByteArrayOutputStream kept = new ByteArrayOutputStream(256);
    MessageDigest sha = null;
    boolean any = false;
    try {
      while (true) {
        if (at == filled) {
          filled = in.read(buffer);
          at = 0;
          if (filled <= 0) {
            filled = 0;
            break;
          }
        }
        any = true;
        int stop = at;
        while (stop < filled && buffer[stop] != '\n') {
          stop++;
        }
        length += stop - at;
        if (sha != null) {
          sha.update(buffer, at, stop - at);
        } else if (length > maxBytes) {
          sha = Digests.newSha256();
          sha.update(kept.toByteArray());
          sha.update(buffer, at, stop - at);
          kept = new ByteArrayOutputStream(0);
        } else {
          kept.write(buffer, at, stop - at);
        }
        offset += stop - at;
        at = stop;
        if (at < filled) {
          at++;
          offset++;
          break;
        }
      }
    } catch (IOException e) {
      damaged = true;
      return new Line(number, start, null, CUT_OFF, Digests.sha256(kept.toByteArray()));
    }
    if (!any) {
      return null;
    }
    long line = number++;
    if (sha != null) {
      return new Line(
          line,
          start,
          null,
          "line of more than " + maxBytes + " bytes (max_line_bytes)",
          HexFormat.of().formatHex(sha.digest()));
    }
    byte[] bytes = kept.toByteArray();
    return new Line(line, start, bytes, null, Digests.sha256(bytes));
  }
}
