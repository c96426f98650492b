package io.knack.spark.imports;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.store.Digests;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Separated values with a header (RFC 4180), fields over several lines among them.
 *
 * <p>A stray quote must not swallow the rows behind it: a record that does not come to its end
 * within {@value #MAX_LINES} lines, or has the wrong number of fields, is given up as its first
 * line alone, and reading goes on at the line after it.
 */
final class CsvReader {
  private static final int MAX_LINES = 200;

  private final Lines lines;
  private final Function<byte[], @Nullable String> decode;
  private final Deque<Lines.Line> ahead = new ArrayDeque<>();
  private List<String> header = List.of();
  private char separator = ',';
  private boolean started;
  private boolean openQuote;

  /**
   * @param decode null for bytes that are no text
   */
  CsvReader(Lines lines, Function<byte[], @Nullable String> decode) {
    this.lines = lines;
    this.decode = decode;
  }

  /** Column names; reads the header if nothing was read before. */
  List<String> header() {
    if (!started) {
      started = true;
      Lines.Line first = take();
      String text = first == null || first.bytes() == null ? null : decode.apply(first.bytes());
      if (text != null) {
        String plain = text.startsWith("\uFEFF") ? text.substring(1) : text;
        separator = likeliest(plain);
        List<String> fields =
            fields(plain.endsWith("\r") ? plain.substring(0, plain.length() - 1) : plain);
        header = fields == null ? List.of() : fields.stream().map(String::strip).toList();
      }
    }
    return header;
  }

  /** The next record; null at the end. */
  @Nullable RawRecord next() {
    int columns = header().size();
    Lines.Line first = take();
    while (first != null && first.bytes() != null && blank(first.bytes())) {
      first = take();
    }
    if (first == null) {
      return null;
    }
    byte[] bytes = first.bytes();
    if (bytes == null) {
      return RawRecord.broken(
          first.number(), first.offset(), String.valueOf(first.problem()), first.digest());
    }
    StringBuilder text = new StringBuilder();
    Deque<Lines.Line> used = new ArrayDeque<>();
    Lines.Line line = first;
    String problem = "quoted field without an end";
    while (line != null && line.bytes() != null && used.size() < MAX_LINES) {
      String part = decode.apply(line.bytes());
      if (part == null) {
        problem = SliceReader.NO_TEXT;
        break;
      }
      if (!used.isEmpty()) {
        text.append('\n');
      }
      text.append(part);
      used.add(line);
      String whole = text.toString();
      List<String> fields =
          fields(whole.endsWith("\r") ? whole.substring(0, whole.length() - 1) : whole);
      if (!openQuote) {
        if (fields == null) {
          problem = "quote within a field";
        } else if (fields.size() != columns) {
          problem = "another number of fields than the header";
        } else {
          return record(first, whole, fields);
        }
        break;
      }
      line = take();
    }
    // Given up: everything but the first line is read again.
    if (line != null && !used.contains(line)) {
      used.add(line);
    }
    used.pollFirst();
    while (!used.isEmpty()) {
      ahead.addFirst(used.removeLast());
    }
    return RawRecord.broken(first.number(), first.offset(), problem, first.digest());
  }

  private RawRecord record(Lines.Line first, String whole, List<String> fields) {
    ObjectNode value = JsonNodeFactory.instance.objectNode();
    for (int i = 0; i < fields.size(); i++) {
      value.put(header.get(i), fields.get(i));
    }
    return RawRecord.of(first.number(), first.offset(), value, Digests.sha256(whole));
  }

  private Lines.@Nullable Line take() {
    return ahead.isEmpty() ? lines.next() : ahead.removeFirst();
  }

  private static boolean blank(byte[] bytes) {
    for (byte b : bytes) {
      if (b != ' ' && b != '\r' && b != '\t') {
        return false;
      }
    }
    return true;
  }

  private static char likeliest(String header) {
    char best = ',';
    for (char candidate : new char[] {';', '\t', '|'}) {
      if (count(header, candidate) > count(header, best)) {
        best = candidate;
      }
    }
    return best;
  }

  private static long count(String text, char c) {
    return text.chars().filter(x -> x == c).count();
  }

  /** Null when something stands behind a closing quote, or {@link #openQuote} is left. */
  private @Nullable List<String> fields(String record) {
    List<String> fields = new ArrayList<>();
    openQuote = false;
    int i = 0;
    while (true) {
      StringBuilder field = new StringBuilder();
      if (i < record.length() && record.charAt(i) == '"') {
        i++;
        openQuote = true;
        while (i < record.length()) {
          char c = record.charAt(i++);
          if (c != '"') {
            field.append(c);
          } else if (i < record.length() && record.charAt(i) == '"') {
            field.append('"');
            i++;
          } else {
            openQuote = false;
            break;
          }
        }
        if (openQuote || (i < record.length() && record.charAt(i) != separator)) {
          return null;
        }
      } else {
        int stop = record.indexOf(separator, i);
        field.append(record, i, stop < 0 ? record.length() : stop);
        i = stop < 0 ? record.length() : stop;
      }
      fields.add(field.toString());
      if (i >= record.length()) {
        return fields;
      }
      i++;
      if (i == record.length()) {
        fields.add("");
        return fields;
      }
    }
  }
}
