package io.knack.evaluator.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * Builds HTML and SVG so that no text can become markup: names of elements and attributes come from
 * the code, everything else is escaped.
 */
public final class Html {
  private static final String CSS =
      """
      :root{color-scheme:light dark;--bg:#fbfaf7;--card:#fff;--ink:#1d2329;--soft:#5d6873;--line:#e2ded5;
      --accent:#0b7a75;--muted:#b9b3a7;--good:#1a7f4b;--bad:#b3372f;--warn:#a86a00}
      @media(prefers-color-scheme:dark){:root{--bg:#14181c;--card:#1c2228;--ink:#e7ebee;--soft:#9aa7b2;
      --line:#313a43;--accent:#4cc2ba;--muted:#5b6670;--good:#5fce93;--bad:#ff8a80;--warn:#f0b860}}
      *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
      font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
      main{max-width:1040px;margin:0 auto;padding:28px 20px 60px}h1{font-size:26px;margin:0 0 4px}
      h2{font-size:19px;margin:36px 0 10px}p{margin:6px 0}.soft{color:var(--soft)}
      .verdict{border-left:6px solid var(--muted);background:var(--card);padding:16px 20px;
      border-radius:8px;margin:18px 0}.verdict b{font-size:20px}
      .promote{border-color:var(--good)}.promote b{color:var(--good)}
      .hold{border-color:var(--bad)}.hold b{color:var(--bad)}
      .insufficient{border-color:var(--warn)}.insufficient b{color:var(--warn)}
      .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px}
      .tile,.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
      .tile strong{display:block;font-size:24px;line-height:1.25}.card{overflow-x:auto;margin:10px 0}
      table{border-collapse:collapse;width:100%;font-size:14px}
      th{text-align:left;color:var(--soft);font-weight:600}
      th,td{padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
      td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
      .good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
      .chart{width:100%;max-width:760px;height:auto;display:block}
      .chart text{fill:var(--soft);font-size:12px}
      .grid{stroke:var(--line)}.base{stroke:var(--muted);stroke-dasharray:4 3}.link{stroke:var(--muted)}
      .dot{fill:var(--accent)}.dot0,.bar0{fill:var(--muted)}.bar{fill:var(--accent)}
      .whisker{stroke:var(--ink);stroke-width:1.6}
      pre{white-space:pre-wrap;word-break:break-word;margin:4px 0;
      font:13px/1.45 ui-monospace,Menlo,monospace}
      .pair{display:grid;grid-template-columns:1fr 1fr;gap:14px}
      @media(max-width:700px){.pair{grid-template-columns:1fr}}
      details summary{cursor:pointer;color:var(--soft)}
      """;

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

  /** The one style sheet of the project's pages: light and dark, nothing from a network. */
  public Html style() {
    out.append("<style>").append(CSS).append("</style>");
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
