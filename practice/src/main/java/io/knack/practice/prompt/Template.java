package io.knack.practice.prompt;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Text with named places, {@code {{name}}}. What is filled in is never looked at again, so that
 * text from a log cannot fill a place, and nothing in it can run.
 */
final class Template {
  private final String name;

  /** Literal text at even positions, names of places at odd ones. */
  private final List<String> parts;

  private Template(String name, List<String> parts) {
    this.name = name;
    this.parts = parts;
  }

  static Template parse(String name, String text) {
    List<String> parts = new ArrayList<>();
    int from = 0;
    for (int open = text.indexOf("{{"); open >= 0; open = text.indexOf("{{", from)) {
      int close = text.indexOf("}}", open);
      if (close < 0) {
        throw new IllegalArgumentException(name + ": a place is not closed");
      }
      parts.add(text.substring(from, open));
      parts.add(text.substring(open + 2, close));
      from = close + 2;
    }
    parts.add(text.substring(from));
    return new Template(name, List.copyOf(parts));
  }

  static Template resource(String path) {
    try (InputStream in = Template.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalArgumentException("no prompt resource " + path);
      }
      return parse(path, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String fill(Map<String, String> values) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < parts.size(); i++) {
      if (i % 2 == 0) {
        text.append(parts.get(i));
      } else {
        String value = values.get(parts.get(i));
        if (value == null) {
          throw new IllegalArgumentException(name + " needs '" + parts.get(i) + "'");
        }
        text.append(value);
      }
    }
    return text.toString();
  }
}
