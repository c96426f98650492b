package io.knack.spark.imports;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Text of another character set as UTF-8 bytes, a piece at a time. */
final class Transcoded extends InputStream {
  private final Reader reader;
  private final char[] chars = new char[1 << 14];
  private byte[] bytes = new byte[0];
  private int at;
  private char carried;
  private boolean carries;

  Transcoded(InputStream in, Charset charset) {
    reader = new InputStreamReader(in, charset);
  }

  @Override
  public int read() throws IOException {
    return fill() ? bytes[at++] & 0xFF : -1;
  }

  @Override
  public int read(byte @Nullable [] into, int offset, int length) throws IOException {
    if (into == null || length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int n = Math.min(length, bytes.length - at);
    System.arraycopy(bytes, at, into, offset, n);
    at += n;
    return n;
  }

  private boolean fill() throws IOException {
    while (at >= bytes.length) {
      int from = carries ? 1 : 0;
      if (carries) {
        chars[0] = carried;
        carries = false;
      }
      int n = reader.read(chars, from, chars.length - from);
      if (n < 0 && from == 0) {
        return false;
      }
      int end = from + Math.max(0, n);
      if (n > 0 && Character.isHighSurrogate(chars[end - 1])) {
        carried = chars[--end]; // its other half comes with the next piece
        carries = true;
      }
      bytes = new String(chars, 0, end).getBytes(StandardCharsets.UTF_8);
      at = 0;
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
