package io.knack.evaluator.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * Builds HTML and SVG so that no text can become markup: names of elements and attributes come from
 * the code, everything else is escaped.
 */
public final class Html {
  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /** Opens an element; attributes are name, value, name, value. */
  public Html open(String element, String... attributes) {
    start(element, attributes);
    out.append('>');
    open.push(element);
    return this;
  }

  /** An element without content, as SVG has many. */
  public Html empty(String element, String... attributes) {
    start(element, attributes);
    out.append("/>");
    return this;
  }

  /** An element that holds text alone. */
  public Html leaf(String element, String text, String... attributes) {
    return open(element, attributes).text(text).close();
  }

  public Html text(String text) {
    escape(text);
    return this;
  }

  /** Closes the innermost open element. */
  public Html close() {
    out.append("</").append(open.pop()).append(">");
    return this;
  }

  /** The text of the project's own style sheet. */
  Html style(String css) {
    if (css.contains("</")) {
      throw new IllegalArgumentException("a style sheet holds no markup");
    }
    out.append("<style>").append(css).append("</style>");
    return this;
  }

  /** What was built; every element must be closed. */
  public String build() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("not closed: " + open);
    }
    return out.toString();
  }

  /** A coordinate, to a tenth. */
  public static String at(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private void start(String element, String... attributes) {
    out.append('<').append(element);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ').append(attributes[i]).append("=\"");
      escape(attributes[i + 1]);
      out.append('"');
    }
  }

  private void escape(String text) {
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> {
                  boolean odd =
                      (Character.isISOControl(c) && c != '\n' && c != '\t')
                          || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
                  out.appendCodePoint(odd ? 0xFFFD : c);
                }
              }
            });
  }
}
