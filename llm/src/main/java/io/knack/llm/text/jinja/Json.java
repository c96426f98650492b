package io.knack.llm.text.jinja;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** {@code json.dumps} as Python writes it, without {@code ensure_ascii}. */
final class Json {
  private final Meter meter;
  private final Text out;
  private final String itemSeparator;
  private final String keySeparator;
  private final String indent;
  private final boolean pretty;
  private final boolean sortKeys;
  private final boolean ascii;

  private Json(Meter meter, Callable.Arguments arguments) {
    this.meter = meter;
    this.out = new Text(meter);
    arguments.allow("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    ascii = arguments.flag(0, "ensure_ascii", false);
    Object width = arguments.get(1, "indent", None.NONE);
    pretty = !(width instanceof None);
    indent =
        width instanceof String text
            ? text
            : " ".repeat(pretty ? Filters.width("tojson", Values.integer(width)) : 0);
    Object separators = arguments.get(2, "separators", None.NONE);
    if (separators instanceof None) {
      itemSeparator = pretty ? "," : ", ";
      keySeparator = ": ";
    } else {
      List<Object> pair = Values.elements(meter, separators);
      if (pair.size() != 2) {
        throw TemplateException.value("tojson's separators are two strings");
      }
      itemSeparator = Values.string(pair.get(0));
      keySeparator = Values.string(pair.get(1));
    }
    sortKeys = arguments.flag(3, "sort_keys", false);
  }

  /**
   * With the arguments of transformers' {@code tojson}: ensure_ascii, indent, separators,
   * sort_keys.
   */
  static String write(Meter meter, Object value, Callable.Arguments arguments) {
    Json json = new Json(meter, arguments);
    json.value(value, 0);
    return json.out.made();
  }

  private void value(Object value, int depth) {
    meter.step();
    if (depth > 200) {
      throw TemplateException.limit("tojson met a value nested deeper than 200 levels");
    }
    if (value instanceof None) {
      out.append("null");
    } else if (value instanceof Boolean || value instanceof Long) {
      out.append(value.toString());
    } else if (value instanceof Double number) {
      meter.work(Values.REAL_STEPS);
      out.append(
          number.isNaN()
              ? "NaN"
              : number.isInfinite()
                  ? (number > 0 ? "Infinity" : "-Infinity")
                  : Values.real(number));
    } else if (value instanceof String text) {
      string(text);
    } else if (value instanceof List<?> list) {
      list(list.iterator(), depth);
    } else if (value instanceof Map<?, ?> map) {
      map(Values.mapping(map), depth);
    } else {
      throw Values.expected("a value that JSON knows", value);
    }
  }

  private void list(Iterator<?> elements, int depth) {
    out.append('[');
    boolean any = elements.hasNext();
    for (boolean first = true; elements.hasNext(); first = false) {
      next(first, depth);
      value(elements.next(), depth + 1);
    }
    end(any, depth);
    out.append(']');
  }

  private void map(Map<Object, Object> map, int depth) {
    out.append('{');
    List<Object> keys = Values.elements(meter, map);
    if (sortKeys) {
      keys.sort((a, b) -> Values.compare(meter, a, b));
    }
    boolean first = true;
    for (Object key : keys) {
      next(first, depth);
      first = false;
      if (key instanceof String text) {
        string(text);
      } else {
        out.append('"');
        value(key, depth + 1);
        out.append('"');
      }
      out.append(keySeparator);
      Object inner = map.get(key);
      value(inner == null ? None.NONE : inner, depth + 1);
    }
    end(!keys.isEmpty(), depth);
    out.append('}');
  }

  private void next(boolean first, int depth) {
    if (!first) {
      out.append(itemSeparator);
    }
    if (pretty) {
      out.append('\n').repeat(indent, depth + 1);
    }
  }

  private void end(boolean any, int depth) {
    if (pretty && any) {
      out.append('\n').repeat(indent, depth);
    }
  }

  private void string(String text) {
    meter.touch(text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20 || (ascii && c >= 0x7f)) {
            out.append("\\u");
            for (int shift = 12; shift >= 0; shift -= 4) {
              out.append(Character.forDigit((c >> shift) & 15, 16));
            }
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
