package io.knack.spark.imports;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.knack.contracts.store.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a JSON document into its elements: those of an array, or values one after the other.
 *
 * <p>A break must not swallow what is behind it. An element is cut out by its brackets; when what
 * was cut out does not parse, or does not come to its end, it is given up to the next place at
 * which an element like it begins: on a line of its own with the same indentation, or behind a
 * bracket and a comma with the same first key. Reading goes on there, so that every byte is in
 * exactly one element.
 */
final class Elements {
  private static final int BLOCK = 1 << 16;

  private final InputStream in;
  private final int maxBytes;
  private final Function<byte[], @Nullable String> decode;

  /** Bytes read and not handed on: {@code window[from, to)}; the first is at {@link #offset}. */
  private byte[] window = new byte[BLOCK];

  private int from;
  private int to;
  private long offset;
  private long number;
  private boolean ended;
  private boolean damaged;

  /** Whether the present element begins its line, and behind how many blanks. */
  private boolean lineStart = true;

  private int indent;

  /** How the last element began that was whole and no piece of a broken one. */
  private @Nullable Beginning usual;

  private boolean recovering;

  private record Beginning(boolean ownLine, int indent, String key) {}

  /**
   * @param maxBytes of one element
   * @param decode null for bytes that are no text
   */
  Elements(InputStream in, long maxBytes, Function<byte[], @Nullable String> decode) {
    this.in = in;
    this.maxBytes = (int) Math.min(maxBytes, Integer.MAX_VALUE - BLOCK - 16);
    this.decode = decode;
  }

  /** The next element, whole or broken; null at the end. */
  @Nullable RawRecord next() {
    if (from > BLOCK / 2) {
      compact();
    }
    if (!skipBetween()) {
      return damaged ? cutOff() : null;
    }
    number++;
    return window[from] == '{' ? object() : other();
  }

  /** Stands at the next byte that begins something; false at the end. */
  private boolean skipBetween() {
    while (from < to || fill()) {
      byte b = window[from];
      if (b == '\n') {
        lineStart = true;
        indent = 0;
      } else if (b == ' ' || b == '\t') {
        indent++;
      } else if (b == ',' || b == '[' || b == ']' || b == '}' || b == 0x1E || isMark(b)) {
        lineStart = false;
      } else if (b != '\r') {
        return true;
      }
      drop(1);
    }
    return false;
  }

  /** The bytes of a UTF-8 byte order mark, at the very beginning only. */
  private boolean isMark(byte b) {
    return offset < 3 && (b == (byte) 0xEF || b == (byte) 0xBB || b == (byte) 0xBF);
  }

  private RawRecord object() {
    int length = balanced();
    String why;
    if (length > 0) {
      byte[] bytes = Arrays.copyOfRange(window, from, from + length);
      String text = decode.apply(bytes);
      try {
        if (text != null) {
          RawRecord record =
              RawRecord.of(number, offset, SliceReader.JSON.readTree(text), Digests.sha256(bytes));
          whole(new Beginning(lineStart, indent, keyAt(from)));
          lineStart = false;
          drop(length);
          return record;
        }
        why = SliceReader.NO_TEXT;
      } catch (IOException e) {
        why = "element is no JSON";
      } catch (StackOverflowError e) {
        why = "JSON is nested too deeply";
      }
    } else if (to - from >= maxBytes) {
      why = "element without an end within " + maxBytes + " bytes";
    } else {
      why = damaged ? Lines.CUT_OFF : "element without an end";
      damaged = false;
    }
    recovering = true;
    int next = nextBeginning(length > 0 ? from + length : to);
    if (next < 0 && length < 0) {
      return drain(why);
    }
    return broken(next < 0 ? length : next - from, why);
  }

  /** Something that is no object: up to the next separator. */
  private RawRecord other() {
    int at = from;
    while (at < to || fill()) {
      byte b = window[at];
      if (b == ',' || b == '\n' || b == '{' || b == ']' || at - from >= maxBytes) {
        break;
      }
      at++;
    }
    boolean json = false;
    String text = decode.apply(Arrays.copyOfRange(window, from, at));
    if (text != null) {
      try {
        SliceReader.JSON.readTree(text);
        json = true;
      } catch (IOException e) {
        json = false;
      }
    }
    return broken(at - from, json ? "element is JSON, but no object" : "element is no JSON");
  }

  /** Length of the bracketed text that begins at {@link #from}; -1 where it does not end. */
  private int balanced() {
    int depth = 0;
    boolean quoted = false;
    boolean escaped = false;
    for (int at = from; at < to || fill(); at++) {
      if (at - from >= maxBytes) {
        return -1;
      }
      byte b = window[at];
      if (quoted) {
        quoted = escaped || b != '"';
        escaped = !escaped && b == '\\';
      } else if (b == '"') {
        quoted = true;
      } else if (b == '{' || b == '[') {
        depth++;
      } else if ((b == '}' || b == ']') && --depth == 0) {
        return at - from + 1;
      }
    }
    return -1;
  }

  private void whole(Beginning beginning) {
    Beginning before = usual;
    if (before == null || !recovering || before.key().equals(beginning.key())) {
      usual = beginning;
      recovering = false;
    }
  }

  /** Where another element seems to begin behind {@link #from}, before a limit; or -1. */
  private int nextBeginning(int limit) {
    Beginning like =
        Objects.requireNonNullElseGet(usual, () -> new Beginning(lineStart, indent, ""));
    for (int at = from + 1; at < limit; at++) {
      if (window[at] == '{'
          && (like.ownLine() ? beginsALine(at, like.indent()) : followsAComma(at))
          && (like.key().isEmpty() || keyAt(at).equals(like.key()))) {
        return at;
      }
    }
    return -1;
  }

  private boolean beginsALine(int at, int blanks) {
    int i = at - 1;
    while (i > from && (window[i] == ' ' || window[i] == '\t')) {
      i--;
    }
    return window[i] == '\n' && at - 1 - i == blanks;
  }

  private boolean followsAComma(int at) {
    int i = at - 1;
    while (i > from && window[i] <= ' ') {
      i--;
    }
    return window[i] == ',';
  }

  /** The first key of the object at a place; empty when it shows none. */
  private String keyAt(int at) {
    byte[] head = Arrays.copyOfRange(window, at, Math.min(to, at + 256));
    try (JsonParser parser = InputFiles.jsonFactory().createParser(head)) {
      return parser.nextToken() == JsonToken.START_OBJECT
              && parser.nextToken() == JsonToken.FIELD_NAME
          ? parser.currentName()
          : "";
    } catch (IOException e) {
      return "";
    }
  }

  private RawRecord broken(int length, String why) {
    RawRecord record =
        RawRecord.broken(
            number, offset, why, Digests.sha256(Arrays.copyOfRange(window, from, from + length)));
    drop(length);
    return record;
  }

  /** Gives up an element that has no end up to the next beginning, however far that is. */
  private RawRecord drain(String why) {
    long start = offset;
    var sha = Digests.newSha256();
    while (true) {
      int beginning = nextBeginning(to);
      int kept = beginning >= 0 ? beginning : Math.max(from, to - 512);
      sha.update(window, from, kept - from);
      drop(kept - from);
      if (beginning >= 0) {
        break;
      }
      compact();
      if (!fill()) {
        sha.update(window, from, to - from);
        drop(to - from);
        break;
      }
    }
    return RawRecord.broken(number, start, why, HexFormat.of().formatHex(sha.digest()));
  }

  private RawRecord cutOff() {
    damaged = false;
    return RawRecord.broken(number + 1, offset, Lines.CUT_OFF, Digests.sha256(new byte[0]));
  }

  private void drop(int bytes) {
    from += bytes;
    offset += bytes;
  }

  /** Reads on behind the window; places in it stay what they were. False at the end. */
  private boolean fill() {
    if (ended) {
      return false;
    }
    if (to == window.length) {
      window = Arrays.copyOf(window, 2 * window.length);
    }
    int n;
    try {
      n = in.read(window, to, window.length - to);
    } catch (IOException e) {
      damaged = true;
      n = -1;
    }
    ended = n < 0;
    to += Math.max(0, n);
    return !ended;
  }

  /** Forgets what was handed on; places in the window change. */
  private void compact() {
    System.arraycopy(window, from, window, 0, to - from);
    to -= from;
    from = 0;
    if (window.length > 4 * BLOCK && to < BLOCK) {
      window = Arrays.copyOf(window, BLOCK);
    }
  }
}
